"""Which column of a table is what: proposed from the headers, corrected by the user."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.workflow.bring_in.tables.dates import parsed_dates
from napari_msqsm.workflow.bring_in.tables.variables import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_msqsm.io.spreadsheet import Cell, Sheet

PATIENT, SESSION, DATE = "patient", "session", "date"
_WORDS: Mapping[str, tuple[str, ...]] = {
    PATIENT: (
        *("participantid", "participant", "patient", "patientid", "patid", "pid", "subject", "subjectid", "subid"),
        *("id", "code", "pseudonym", "proband", "patientenid", "patientennummer", "name", "patientname", "patnr"),
    ),
    SESSION: (
        *("sessionid", "session", "visit", "visitid", "timepoint", "tp", "ses", "scan", "visite", "zeitpunkt"),
        *("untersuchung", "besuch", "sitzung"),
    ),
    DATE: (
        *(
            "acqtime",
            "date",
            "sessiondate",
            "mridate",
            "scandate",
            "dateofmri",
            "dateofscan",
            "examdate",
            "studydate",
            "visitdate",
        ),
        *("datum", "mrtdatum", "scandatum", "untersuchungsdatum", "datummrt", "mridatum", "acquisitiondate"),
    ),
} | {name: variable.words for name, variable in VARIABLES.items()}
_UNIT_WORDS = ("years", "year", "yrs", "yr", "y", "jahre", "jahren", "months", "month", "mo", "monate", "monaten")
_SURE, _LIKELY, _DOUBTFUL = 0.95, 0.8, 0.5
_LEAST = 0.6
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class ColumnChoice:
    """What a column is.

    Parameters
    ----------
    name
        ``patient``, ``session``, ``date``, or the column of BIDS that it becomes.
    column
        Header in the table.
    confidence
        0…1; 1 where the user said so.
    why
        What that rests on.
    """

    name: str
    column: str
    confidence: float
    why: str


def propose(sheet: Sheet, given: Mapping[str, str] | None = None) -> tuple[ColumnChoice, ...]:
    """Tell the columns of a table.

    Parameters
    ----------
    sheet
        The table.
    given
        ``{name: header}`` from the user; a header of ``-`` means that there is none. The others are proposed.

    Returns
    -------
    tuple
        Every column that will be used, the patient first. A header that only resembles is not used: it has to be given.

    Raises
    ------
    ParameterError
        When a given header does not exist, or two are the same.
    InputError
        When no column tells the patient.
    """
    given = dict(given or {})
    chosen: dict[str, ColumnChoice] = {}
    for name, column in given.items():
        if column == "-":
            continue
        if not _NAME.fullmatch(name):
            raise ParameterError(f"--columns {name}={column}: {name!r} is no name of a column in BIDS, such as edss")
        if column not in sheet.columns:
            raise ParameterError(f"--columns {name}={column}: the table has no such column; {_listed(sheet.columns)}")
        chosen[name] = ColumnChoice(name, column, 1.0, "given")
    taken = [choice.column for choice in chosen.values()]
    twice = next((column for column in taken if taken.count(column) > 1), None)
    if twice is not None:
        raise ParameterError(f"--columns names {twice!r} twice")
    for name in _WORDS:
        if name in given:
            continue
        best = _best(name, sheet, [choice.column for choice in chosen.values()])
        if best is not None:
            chosen[name] = best
    if PATIENT not in chosen:
        raise InputError(f"no column tells the patient; name it with --columns patient=… ({_listed(sheet.columns)})")
    order = [PATIENT, SESSION, DATE]
    return tuple(sorted(chosen.values(), key=lambda one: order.index(one.name) if one.name in order else len(order)))


def _best(name: str, sheet: Sheet, taken: Sequence[str]) -> ColumnChoice | None:
    found = []
    for column in sheet.columns:
        if column in taken:
            continue
        confidence, why = _likeness(name, column)
        if confidence and name == DATE and not _are_dates(sheet, column):
            confidence, why = 0.0, ""
        if confidence >= _LEAST:
            found.append(ColumnChoice(name, column, confidence, why))
    found.sort(key=lambda choice: -choice.confidence)
    if len(found) > 1 and found[0].confidence == found[1].confidence:
        columns = " and ".join(repr(choice.column) for choice in found[:2])
        raise ParameterError(f"columns {columns} may both be the {name}; choose with --columns {name}=…")
    return found[0] if found else None


def _likeness(name: str, column: str) -> tuple[float, str]:
    words = _split(column)
    whole = "".join(words)
    if whole == name.replace("_", ""):
        return 1.0 - 1e-3, "the name of BIDS"
    if whole in _WORDS[name]:
        rank = _WORDS[name].index(whole)
        return _SURE - 0.01 * rank, "its header"
    bare = "".join(word for word in words if word not in _UNIT_WORDS)
    if bare in _WORDS[name]:
        return _LIKELY, "its header without the unit"
    if any(word in _WORDS[name] for word in words if len(word) > 3):
        return _DOUBTFUL, "one word of its header"
    return 0.0, ""


def _are_dates(sheet: Sheet, column: str) -> bool:
    cells: list[Cell] = [row[column] for row in sheet.rows]
    try:
        return any(date is not None for date in parsed_dates(cells, order="dmy", column=column))
    except InputError:
        try:
            return any(date is not None for date in parsed_dates(cells, order="mdy", column=column))
        except InputError:
            return False


def _split(column: str) -> list[str]:
    """Words of a header: lower case, umlauts as they are, without marks."""
    text = unicodedata.normalize("NFC", column)
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return [word.casefold() for word in re.findall(r"[^\W_]+", text)]


def _listed(columns: Sequence[str]) -> str:
    return f"columns: {', '.join(columns)}"
