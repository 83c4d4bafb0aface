"""From the rows of a table to values of patients and sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from napari_msqsm.workflow.bring_in.tables.changes import Change, TablePlan
from napari_msqsm.workflow.bring_in.tables.columns import DATE, PATIENT, SESSION
from napari_msqsm.workflow.bring_in.tables.dates import parsed_dates
from napari_msqsm.workflow.bring_in.tables.people import find_patient
from napari_msqsm.workflow.bring_in.tables.stored import Stored
from napari_msqsm.workflow.bring_in.tables.variables import VARIABLES, values_of
from napari_msqsm.workflow.bring_in.which_session import same_name
from napari_msqsm.workflow.dicom_import.dates import OLDEST_AGE_Y

if TYPE_CHECKING:
    from datetime import datetime

    from napari_msqsm.io.spreadsheet import Cell, Sheet
    from napari_msqsm.model.study import Patient, Session, Study
    from napari_msqsm.workflow.bring_in.tables.columns import ColumnChoice
    from napari_msqsm.workflow.bring_in.tables.dates import DateOrder
    from napari_msqsm.workflow.bring_in.tables.people import Key

ACQ_TIME = "acq_time"
_FIRST_TRUE_YEAR = 1925
"""BIDS: dates before it were moved."""


class Rows:
    """Rows of a table, one after the other; what they would change and what is wrong with them piles up."""

    def __init__(
        self, study: Study, sheet: Sheet, choices: tuple[ColumnChoice, ...], key: Key, within_days: int
    ) -> None:
        self.study, self.sheet, self.key, self.within_days = study, sheet, key, within_days
        self.choices = choices
        self.column = {choice.name: choice.column for choice in choices}
        self.stored = Stored(study)
        self.values: dict[str, list[str | None]] = {}
        self.dates: list[datetime | None] = [None] * len(sheet.rows)
        self.wanted: dict[tuple[str, str, str], tuple[str, int]] = {}
        self.dropped: set[tuple[str, str, str]] = set()
        self.unknown: dict[str, int] = {}
        self.problems: list[str] = []
        self.notes: list[str] = list(sheet.notes)

    def read_columns(self, date_order: DateOrder | None) -> None:
        """Read the values of every column."""
        for name, column in self.column.items():
            cells = [row[column] for row in self.sheet.rows]
            if name == DATE:
                self.dates = parsed_dates(cells, order=date_order, column=column)
            elif name not in (PATIENT, SESSION):
                self.values[name], notes = values_of(name, cells, column)
                self.notes += notes

    def row(self, index: int, line: int) -> None:
        """Take one row."""
        text = _text(self.sheet.rows[index][self.column[PATIENT]])
        if text is None:
            self.problems.append(f"line {line} names no patient")
            return
        patient, note = find_patient(self.study, self.key, text)
        if patient is None and note:
            self._problem(note)
            return
        if patient is None:
            self.unknown.setdefault(text, line)
            return
        if note:
            self._note(note)
        date = self._moved(patient, self.dates[index])
        session = self._session(patient, index, line, date)
        by_visit = SESSION in self.column or DATE in self.column
        for name, values in self.values.items():
            value = values[index]
            if value is None:
                continue
            per_patient = not by_visit or (name in VARIABLES and VARIABLES[name].per_patient)
            if per_patient or not patient.sessions[0].session_id:
                self._want(patient.patient_id, "", name, self._private(patient, name, value), line)
            elif session is not None:
                self._want(patient.patient_id, session.session_id, name, self._private(patient, name, value), line)
        if date is not None and not patient.sessions[0].session_id:
            self._problem("the study has no session folders: dates would belong to sub-*_scans.tsv and are left out")
        elif date is not None and session is not None and SESSION in self.column:
            self._want(patient.patient_id, session.session_id, ACQ_TIME, date.isoformat(timespec="seconds"), line)

    def plan(self) -> TablePlan:
        """Compare what was wanted with what the study holds."""
        changes, unchanged = [], 0
        for (patient, session, column), (new, line) in self.wanted.items():
            if (patient, session, column) in self.dropped:
                continue
            old = self.stored.value(patient, session, column)
            if old is not None and _same(column, old, new):
                unchanged += 1
            else:
                changes.append(Change(patient, session, column, old, new, line))
        if self.unknown:
            names = ", ".join(f"{name} (line {line})" for name, line in list(self.unknown.items())[:10])
            more = f" and {len(self.unknown) - 10} more" if len(self.unknown) > 10 else ""
            self.problems.insert(0, f"not in the study: {names}{more}")
        return TablePlan(self.choices, tuple(changes), unchanged, tuple(self.problems), tuple(self.notes))

    def _session(self, patient: Patient, index: int, line: int, date: datetime | None) -> Session | None:
        """Session of a row, by its name, else by its date."""
        name = _text(self.sheet.rows[index][self.column[SESSION]]) if SESSION in self.column else None
        if name is not None:
            bare = name.removeprefix("ses-")
            exact = [one for one in patient.sessions if one.session_id == bare]
            found = exact or [one for one in patient.sessions if same_name(one.session_id, bare)]
            if len(found) == 1:
                return found[0]
            self.problems.append(f"line {line}: sub-{patient.patient_id} has no session {name!r}")
            return None
        if date is not None:
            return self._by_date(patient, line, date)
        if SESSION in self.column or DATE in self.column:
            self.problems.append(f"line {line} tells neither session nor date of sub-{patient.patient_id}")
        return None

    def _by_date(self, patient: Patient, line: int, date: datetime) -> Session | None:
        dated = [(abs((one.date.date() - date.date()).days), one) for one in patient.sessions if one.date is not None]
        near = sorted((days, one.session_id) for days, one in dated if days <= self.within_days)
        if len(near) == 1 or (len(near) > 1 and near[0][0] < near[1][0]):
            session = next(one for _, one in dated if one.session_id == near[0][1])
            if near[0][0]:
                self._note(f"line {line} is taken as {session.label}, {near[0][0]} days from its scan")
            return session
        closest = min((days for days, _ in dated), default=None)
        said = "no session has a date" if closest is None else f"the nearest session is {closest} days away"
        if len(near) > 1:
            said = f"{len(near)} sessions are equally near"
        self.problems.append(f"line {line}: no session of sub-{patient.patient_id} on that day ({said})")
        return None

    def _moved(self, patient: Patient, date: datetime | None) -> datetime | None:
        """Move a true date like those of the study; a true date never enters a study whose dates were moved."""
        offset = self.key.offset_days.get(patient.patient_id)
        if date is None or date.year < _FIRST_TRUE_YEAR:
            return date
        if offset is not None:
            moved = date + timedelta(days=offset)
            return moved.replace(hour=12, minute=0, second=0) if offset else moved
        if self._is_moved(patient):
            self._problem(
                f"dates of sub-{patient.patient_id} were moved in this study: its dates of the table are left out; "
                "give the key file of the import (--key-file) to move them alike"
            )
            return None
        return date

    def _private(self, patient: Patient, name: str, value: str) -> str:
        if name == "age" and self._is_moved(patient) and float(value) > OLDEST_AGE_Y:
            self._note(f"ages above {OLDEST_AGE_Y} are written as {OLDEST_AGE_Y} in a study whose dates were moved")
            return str(OLDEST_AGE_Y)
        return value

    def _is_moved(self, patient: Patient) -> bool:
        """Whether dates of a patient were moved; one without dates is as the others of the study."""
        own = [session.date for session in patient.sessions if session.date is not None]
        dates = own or [session.date for session in self.study.sessions if session.date is not None]
        return any(date.year < _FIRST_TRUE_YEAR for date in dates)

    def _want(self, patient: str, session: str, column: str, value: str, line: int) -> None:
        place = (patient, session, column)
        before = self.wanted.setdefault(place, (value, line))
        if not _same(column, before[0], value):
            where = f"sub-{patient}" + (f" ses-{session}" if session else "")
            self._problem(f"lines {before[1]} and {line} give {where} two values of {column}: neither is used")
            self.dropped.add(place)

    def _problem(self, sentence: str) -> None:
        if sentence not in self.problems:
            self.problems.append(sentence)

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)


def _same(column: str, one: str, other: str) -> bool:
    if column == ACQ_TIME:
        day_only = "T12:00:00" in one or "T12:00:00" in other
        return one == other or (day_only and one[:10] == other[:10])
    try:
        return float(one) == float(other)
    except ValueError:
        return one.casefold() == other.casefold()


def _text(cell: Cell) -> str | None:
    if cell is None:
        return None
    return f"{cell:.12g}" if isinstance(cell, float) else str(cell).strip()
