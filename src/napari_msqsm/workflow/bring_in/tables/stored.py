"""The tables of a study as text: read as they are, and written with other values changed and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_msqsm.io.atomic import atomic_path
from napari_msqsm.io.sidecar import read_json
from napari_msqsm.workflow.bring_in.tables.variables import VARIABLES
from napari_msqsm.workflow.dicom_import.tables import as_text, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from napari_msqsm.model.study import Study
    from napari_msqsm.workflow.bring_in.tables.changes import Change

_MISSING = ("", "n/a", "N/A", "NA")
_PATIENT, _SESSION = "participant_id", "session_id"


@dataclass
class _Table:
    path: Path
    key: str
    columns: list[str]
    rows: list[dict[str, str]] = field(default_factory=list)

    def row(self, name: str) -> dict[str, str] | None:
        return next((row for row in self.rows if _bare(row.get(self.key, "")) == name), None)


class Stored:
    """``participants.tsv`` and every ``sub-*_sessions.tsv`` of a study.

    Parameters
    ----------
    study
        The study; its tables need not exist.

    Raises
    ------
    InputError
        When one that exists cannot be read.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._tables: dict[str, _Table] = {"": _read(study.root / "participants.tsv", _PATIENT)}
        for patient in study.patients:
            name = f"sub-{patient.patient_id}"
            self._tables[patient.patient_id] = _read(study.root / name / f"{name}_sessions.tsv", _SESSION)

    def value(self, patient_id: str, session_id: str, column: str) -> str | None:
        """Return what a table holds; None where nothing."""
        table, name = self._place(patient_id, session_id)
        row = table.row(name)
        text = None if row is None else row.get(column)
        return None if text is None or text in _MISSING else text

    def write(self, changes: Iterable[Change]) -> tuple[Path, ...]:
        """Write changed values, each table atomically, and describe new columns in the JSON beside.

        Returns
        -------
        tuple
            Files that were written.
        """
        touched: dict[Path, _Table] = {}
        described: dict[str, set[str]] = {"participants.json": set(), "sessions.json": set()}
        for change in changes:
            table, name = self._place(change.patient_id, change.session_id)
            self._add_rows(table, change.patient_id if change.session_id else "")
            row = table.row(name)
            assert row is not None  # every patient and session has a row by now
            if change.column not in table.columns:
                table.columns.append(change.column)
            row[change.column] = change.new
            touched[table.path] = table
            described["sessions.json" if change.session_id else "participants.json"].add(change.column)
        for table in touched.values():
            _write(table.path, as_text(table.columns, table.rows))
        written = list(touched)
        for file_name, columns in described.items():
            path = self._study.root / file_name
            known = read_json(path) if path.is_file() else {}
            entries = {
                name: VARIABLES[name].dictionary()
                for name in sorted(columns)
                if name in VARIABLES and name not in known
            }
            if entries:
                _write(path, json.dumps(known | entries, indent=2, ensure_ascii=False) + "\n")
                written.append(path)
        return tuple(written)

    def _place(self, patient_id: str, session_id: str) -> tuple[_Table, str]:
        if session_id:
            return self._tables[patient_id], session_id
        return self._tables[""], patient_id

    def _add_rows(self, table: _Table, patient_id: str) -> None:
        """Rows of the patients or sessions that a table lacks."""
        if table.key == _PATIENT:
            names = [f"sub-{patient.patient_id}" for patient in self._study.patients]
        else:
            patient = next(one for one in self._study.patients if one.patient_id == patient_id)
            names = [f"ses-{session.session_id}" for session in patient.sessions]
        for name in names:
            if table.row(_bare(name)) is None:
                table.rows.append({table.key: name})


def _read(path: Path, key: str) -> _Table:
    columns, rows = read_rows(path, key)
    return _Table(path, key, columns or [key], rows)


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, "utf-8", newline="")


def _bare(name: str) -> str:
    return name.removeprefix("sub-").removeprefix("ses-")
