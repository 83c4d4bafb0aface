"""The import table as a file that a spreadsheet opens: written, corrected by the user, read back.

It names series as the scanner did and holds true dates: it is private, and refused inside the study.
"""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.workflow.dicom_import.key_file import write_private
from napari_msqsm.workflow.dicom_import.plan import changed_by_user
from napari_msqsm.workflow.dicom_import.settle import settle
from napari_msqsm.workflow.dicom_import.tables import MISSING, as_text

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.workflow.dicom_import.plan import ImportPlan, PlannedSeries

_KEY = "series_uid"
_CHANGEABLE = {"patient": "patient_id", "session": "session_id", "role": "role", "post_gd": "post_gd"}
_TOLD = (
    *("number", "description", "acquired_at", "parts", "echo_times_ms", "size", "confidence", "why", "post_gd_why"),
    *("run", "used", "problems"),
)
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, MISSING: None, "": None}


def write_table_file(path: Path, plan: ImportPlan) -> None:
    """Write the table; ``patient``, ``session``, ``role`` and ``post_gd`` may be changed, the rest explains."""
    write_private(path, as_text([*_CHANGEABLE, *_TOLD, _KEY], [_line(row) for row in plan.rows]))


def read_table_file(path: Path, plan: ImportPlan) -> tuple[ImportPlan, list[str]]:
    """Change a plan to what the table says.

    Parameters
    ----------
    path
        A table as `write_table_file` makes it; columns may be moved or left out, but for ``series_uid``.
    plan
        As proposed: what differs from it was changed by the user.

    Returns
    -------
    tuple
        The settled plan, and one sentence for each thing that the user should know.

    Raises
    ------
    InputError
        When it is no such table, or a cell cannot be used; the line is named.
    """
    lines = _lines(path)
    rows = {row.series.series_uid: row for row in plan.rows}
    out, seen = dict(rows), set()
    notes = []
    strange = 0
    for number, line in lines:
        uid = (line.get(_KEY) or "").strip()
        if uid in seen:
            raise InputError(f"table {path}, line {number}: this series is there twice; remove one line")
        seen.add(uid)
        if uid not in rows:
            strange += 1
            continue
        try:
            out[uid] = _changed(rows[uid], line)
        except ParameterError as error:
            raise InputError(f"table {path}, line {number}: {error}") from None
    if strange:
        notes.append(f"{strange} series of the table {path.name} are not in this DICOM folder")
    new = [row for uid, row in rows.items() if uid not in seen]
    if new:
        first = new[0].series
        notes.append(
            f"{len(new)} series, such as {first.number} ({first.description}), are not in the table {path.name}; they "
            "are imported as proposed"
        )
    return settle(replace(plan, rows=tuple(out[row.series.series_uid] for row in plan.rows))), notes


def _lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"table {path} cannot be read ({error}); save it as tab-separated text in UTF-8") from None
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t")
    if _KEY not in (table.fieldnames or ()):
        raise InputError(f"table {path} has no column {_KEY}; save it as tab-separated text with all columns")
    return [(number, line) for number, line in enumerate(table, start=2) if (line.get(_KEY) or "").strip()]


def _changed(row: PlannedSeries, line: dict[str, str]) -> PlannedSeries:
    changes: dict[str, Any] = {}
    for column, name in _CHANGEABLE.items():
        text = (line.get(column) or "").strip()
        if column not in line or (not text and name != "post_gd"):
            continue
        value: Any = text
        if name == "post_gd":
            if text.lower() not in _WORDS:
                raise ParameterError(f"post_gd is {text!r}; write true, false or n/a")
            value = _WORDS[text.lower()]
        elif name in ("patient_id", "session_id"):
            value = text.removeprefix("sub-").removeprefix("ses-")
            value = getattr(row, name) if _same_number(value, getattr(row, name)) else value
        if value != getattr(row, name):
            changes[name] = value
    return changed_by_user(row, **changes) if changes else row


def _same_number(text: str, name: str) -> bool:
    """Whether a spreadsheet took the zero from ``01``."""
    return text.isdigit() and name.isdigit() and int(text) == int(name)


def _line(row: PlannedSeries) -> dict[str, object]:
    series = row.series
    shapes = dict.fromkeys("×".join(map(str, image.shape)) for image in series.images)
    return {
        "patient": row.patient_id,
        "session": row.session_id,
        "role": row.role,
        "post_gd": row.post_gd,
        "number": series.number,
        "description": series.description,
        "acquired_at": None if series.acquired_at is None else series.acquired_at.isoformat(" ", "seconds"),
        "parts": "+".join(sorted(series.parts)),
        "echo_times_ms": " ".join(f"{time * 1e3:.4g}" for time in series.echo_times_s),
        "size": " ".join(shapes),
        "confidence": f"{row.confidence:.2f}",
        "why": row.why,
        "post_gd_why": row.post_gd_why,
        "run": row.run if row.is_kept else None,
        "used": row.used if row.is_kept else None,
        "problems": "; ".join(row.problems),
        _KEY: series.series_uid,
    }
