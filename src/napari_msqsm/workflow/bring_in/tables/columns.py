"""Which column of a table is what: proposed from the headers, corrected by the user."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
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
_BIDS_NAMES = {PATIENT: "participantid", SESSION: "sessionid", DATE: "acqtime"}
_UNIT_WORDS = ("years", "year", "yrs", "yr", "y", "jahre", "jahren", "months", "month", "mo", "monate", "monaten")
_CERTAIN, _SURE, _LIKELY, _DOUBTFUL = 0.99, 0.95, 0.8, 0.6
_LEAST = 0.7
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
        Every column that will be used, the patient first. A header that only resembles a word is not used: it has to be
        given.

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
    """Choose the column that means a name; of several, the one whose header comes first in the list of words."""
    found: list[tuple[int, ColumnChoice]] = []
    for column in sheet.columns:
        if column in taken:
            continue
        confidence, rank, why = _likeness(name, column)
        if confidence >= _LEAST and (name != DATE or _are_dates(sheet, column)):
            found.append((rank, ColumnChoice(name, column, confidence, why)))
    if not found:
        return None
    found.sort(key=lambda entry: (-entry[1].confidence, entry[0]))
    (rank, best), others = found[0], found[1:]
    rival = next((one for other, one in others if one.confidence == best.confidence), None)
    if rival is None:
        return best
    if others[0][0] == rank:
        raise ParameterError(
            f"columns {best.column!r} and {rival.column!r} may both be the {name}; choose with --columns {name}=…"
        )
    return replace(best, confidence=_DOUBTFUL, why=f"{best.why}; {rival.column!r} may be meant as well")


def _likeness(name: str, column: str) -> tuple[float, int, str]:
    """Return how sure it is that a header means a name, the place of its word in the list, and why."""
    words = _split(column)
    whole = "".join(words)
    if whole == _BIDS_NAMES.get(name, name.replace("_", "")):
        return _CERTAIN, 0, "the name of BIDS"
    if whole in _WORDS[name]:
        return _SURE, _WORDS[name].index(whole), "its header"
    bare = "".join(word for word in words if word not in _UNIT_WORDS)
    if bare in _WORDS[name]:
        return _LIKELY, _WORDS[name].index(bare), "its header without the unit"
    return 0.0, 0, ""


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
