"""What a study records of patients and visits: how the columns are called, what values they may have, in which unit."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_msqsm.io.spreadsheet import Cell

_MONTHS_PER_YEAR = 12.0
_MONTH_WORDS = re.compile(r"(?<![a-z])(month|months|mo|monat|monate|monaten)(?![a-z])", re.IGNORECASE)
_SEX = {
    "f": ("f", "female", "w", "weiblich", "woman", "frau"),
    "m": ("m", "male", "männlich", "maennlich", "man", "mann"),
    "o": ("o", "other", "d", "divers", "x"),
}


@dataclass(frozen=True)
class Variable:
    """One column of ``participants.tsv`` or ``sessions.tsv``.

    Parameters
    ----------
    name
        Of the column in BIDS.
    words
        Headers that mean it, in English and German; matched without case, spaces and marks.
    description
        For the JSON data dictionary.
    unit
        Likewise; empty without one.
    low, high
        Range of numbers; None for text.
    per_patient
        Whether it belongs to the patient and not to the visit.
    """

    name: str
    words: tuple[str, ...]
    description: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    per_patient: bool = False
    levels: Mapping[str, str] = field(default_factory=dict, hash=False)

    def dictionary(self) -> dict[str, Any]:
        """Entry of the JSON data dictionary."""
        entry: dict[str, Any] = {"Description": self.description}
        if self.unit:
            entry["Units"] = self.unit
        if self.levels:
            entry["Levels"] = dict(self.levels)
        return entry


_SEXES = {"F": "female", "M": "male", "O": "other"}
VARIABLES: Mapping[str, Variable] = {
    variable.name: variable
    for variable in (
        Variable("sex", ("sex", "gender", "geschlecht"), "Sex", per_patient=True, levels=_SEXES),
        Variable(
            "age",
            ("age", "alter", "patientage", "ageatscan", "ageatmri", "alterbeimrt", "agey", "ageyears"),
            "Age at the scan",
            "year",
            0,
            120,
        ),
        Variable("edss", ("edss", "edssscore", "edsswert"), "Expanded Disability Status Scale", "", 0, 10),
        Variable(
            "disease_duration",
            ("diseaseduration", "msduration", "durationofdisease", "erkrankungsdauer", "krankheitsdauer", "dd"),
            "Time since the first symptom",
            "year",
            0,
            90,
        ),
        Variable(
            "treatment_duration",
            ("treatmentduration", "therapyduration", "dmtduration", "therapiedauer", "behandlungsdauer"),
            "Time since the present treatment began",
            "year",
            0,
            60,
        ),
        Variable("treatment", ("treatment", "dmt", "therapy", "therapie", "medication", "medikation"), "Treatment"),
    )
}
"""By name. Other columns are taken as they are when they are named in ``--columns``."""


def values_of(name: str, cells: Sequence[Cell], column: str) -> tuple[list[str | None], tuple[str, ...]]:
    """Read a column of a variable.

    Parameters
    ----------
    name
        Key of `VARIABLES`, or another name.
    cells
        As they stand in the table.
    column
        Its header; months in it mean that a duration is in months.

    Returns
    -------
    tuple
        Values as they will be written, None where missing; and what was done.

    Raises
    ------
    InputError
        When a value cannot be meant.
    """
    if name == "sex":
        return [_sex(cell, column) for cell in cells], ()
    variable = VARIABLES.get(name)
    if variable is None or variable.low is None or variable.high is None:
        return [_plain(cell) for cell in cells], ()
    comma = any(isinstance(cell, str) and re.fullmatch(r"[+-]?\d+,\d+", cell.strip()) for cell in cells)
    numbers = [_number(cell, column, comma=comma) for cell in cells]
    notes = []
    if comma:
        notes.append(f"column {column!r}: commas are decimal marks")
    if variable.unit == "year" and _MONTH_WORDS.search(column.replace("_", " ")):
        numbers = [None if number is None else round(number / _MONTHS_PER_YEAR, 3) for number in numbers]
        notes.append(f"column {column!r} is in months; written in years")
    for number in numbers:
        if number is not None and not variable.low <= number <= variable.high:
            raise InputError(
                f"column {column!r}: {number:g} is not between {variable.low:g} and {variable.high:g}"
                + (f" {variable.unit}s" if variable.unit else "")
                + f"; is it {variable.description}?"
            )
        if number is not None and name == "edss" and 2 * number != int(2 * number):
            raise InputError(f"column {column!r}: {number:g} is no EDSS, which goes in steps of 0.5")
    return [None if number is None else f"{number:g}" for number in numbers], tuple(notes)


def _number(cell: Cell, column: str, *, comma: bool) -> float | None:
    if cell is None or isinstance(cell, float):
        return cell
    text = str(cell).strip()
    if comma and "." in text:
        raise InputError(f"column {column!r} has decimal commas and points ({text!r}); write all numbers alike")
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise InputError(
            f"column {column!r}: {text!r} is no number; leave the cell empty where it is not known"
        ) from None


def _sex(cell: Cell, column: str) -> str | None:
    if cell is None:
        return None
    text = str(cell).strip().casefold()
    for letter, words in _SEX.items():
        if text in words:
            return letter.upper()
    raise InputError(f"column {column!r}: {cell!r} is no sex that can be told; write F, M or O")


def _plain(cell: Cell) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, float):
        return f"{cell:.12g}"
    return " ".join(str(cell).split())
