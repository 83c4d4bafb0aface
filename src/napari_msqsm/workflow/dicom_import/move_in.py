"""From the staging folder into the study: key file, sessions, tables; each change can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.workflow.dicom_import import dates
from napari_msqsm.workflow.dicom_import.build import place_of
from napari_msqsm.workflow.dicom_import.describe import study_files
from napari_msqsm.workflow.dicom_import.existing import KeyRow
from napari_msqsm.workflow.dicom_import.grouping import grouped, one_line
from napari_msqsm.workflow.dicom_import.key_file import appended_key
from napari_msqsm.workflow.dicom_import.people import person_of
from napari_msqsm.workflow.dicom_import.settle import by_session
from napari_msqsm.workflow.dicom_import.tables import with_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from napari_msqsm.workflow.dicom_import.existing import Existing
    from napari_msqsm.workflow.dicom_import.layout import PlannedFile
    from napari_msqsm.workflow.dicom_import.plan import PlannedSeries
    from napari_msqsm.workflow.dicom_import.undo import Changes

_SEXES = ("F", "M", "O")


def move_in(
    files: Sequence[PlannedFile],
    staging: Path,
    root: Path,
    *,
    existing: Existing,
    key_file: Path,
    offsets: Mapping[str, int],
    changes: Changes,
    warnings: list[str],
) -> tuple[Path, ...]:
    """Make the study hold what was built.

    The key file comes first, then the tables, the images last: were the process killed in between, importing again
    would give each patient the same name and offset, and add what is not there yet.

    Parameters
    ----------
    files, staging
        What was built, and where.
    root
        The study.
    existing
        What it held before.
    key_file
        Private file that says who is who.
    offsets
        Days by which dates move, by patient.
    changes
        Where changes are recorded.
    warnings
        One sentence is added for each thing that the user should know.

    Returns
    -------
    tuple
        The images in the study.
    """
    rows = list({file.row.series.series_uid: file.row for file in files}.values())
    stems = {file.row.series.series_uid: file.stem for file in files}
    key = [_key_row(row, stems[row.series.series_uid], offsets[row.patient_id]) for row in rows]
    changes.write(key_file, appended_key(key_file, key), private=True)
    changes.folder(root)
    for name, text in study_files(root.name, dates_kept=not any(offsets.values())).items():
        if not (root / name).exists() and not (name == "README.md" and any(root.glob("README*"))):
            changes.write(root / name, text)
    people = [
        {"participant_id": f"sub-{patient_id}", "sex": _sex(group)}
        for patient_id, group in grouped(rows, lambda row: row.patient_id).items()
    ]
    table = root / "participants.tsv"
    changes.write(table, with_rows(table, "participant_id", people, prefix="sub-"))
    out: list[Path] = []
    for patient_id, group in grouped(rows, lambda row: row.patient_id).items():
        visits = by_session(group)
        begins = {label: _begin(visit, existing) for label, visit in visits.items()}
        exact = offsets[patient_id] != 0
        sessions = [
            {
                "session_id": f"ses-{visit[0].session_id}",
                "acq_time": _written(begins[label], begins[label], offsets[patient_id]),
                "age": _age(visit[0], begins[label], warnings, exact=exact),
            }
            for label, visit in visits.items()
        ]
        table = root / f"sub-{patient_id}" / f"sub-{patient_id}_sessions.tsv"
        changes.write(table, with_rows(table, "session_id", sessions, prefix="ses-", sort_by="acq_time"))
        for label, begin in begins.items():
            own = [file for file in files if file.row.label == label]
            out += _move_session(own, staging, root, begin, offsets[patient_id], changes)
    return tuple(out)


def _move_session(
    files: Sequence[PlannedFile],
    staging: Path,
    root: Path,
    begin: datetime | None,
    offset_days: int,
    changes: Changes,
) -> list[Path]:
    """Move a session as a whole; into one that is there already, file by file."""
    home = place_of(root, files[0]).parent
    table = home / f"{files[0].row.label}_scans.tsv"
    scans = [
        {
            "filename": f"{file.folder}/{file.name}.nii.gz",
            "acq_time": _written(file.row.series.acquired_at, begin, offset_days),
            "post_gd": file.row.post_gd,
        }
        for file in files
    ]
    text = with_rows(table, "filename", scans, sort_by="acq_time")
    if home.exists():
        changes.write(table, text)
        for file in files:
            for ending in (".nii.gz", ".json"):
                name = f"{file.name}{ending}"
                changes.move(place_of(staging, file) / name, place_of(root, file) / name)
    else:
        built = place_of(staging, files[0]).parent
        (built / table.name).write_text(text, "utf-8", newline="")
        changes.move(built, home)
    return [place_of(root, file) / f"{file.name}.nii.gz" for file in files]


def _begin(rows: Sequence[PlannedSeries], existing: Existing) -> datetime | None:
    """When the session began: its earliest scan, of this import or an earlier one."""
    label = (rows[0].patient_id, rows[0].session_id)
    known = [row.acquired_at for row in existing.key if (row.patient_id, row.session_id) == label]
    times = [*known, dates.begin_of(rows)]
    return min((time for time in times if time is not None), default=None)


def _written(acquired_at: datetime | None, begin: datetime | None, offset_days: int) -> str | None:
    if acquired_at is None or begin is None:
        return None
    return dates.written_time(acquired_at, begin, offset_days).isoformat()


def _age(row: PlannedSeries, begin: datetime | None, warnings: list[str], *, exact: bool) -> float | None:
    age = dates.age_y(row.series.header, begin, exact=exact)
    if age is not None and age > dates.OLDEST_AGE_Y:
        warnings.append(f"{row.label}: an age above 89 identifies a person and is written as 89")
        return float(dates.OLDEST_AGE_Y)
    return age


def _sex(rows: Sequence[PlannedSeries]) -> str | None:
    return next((sex for row in rows if (sex := person_of(row.series).sex.upper()) in _SEXES), None)


def _key_row(row: PlannedSeries, stem: str, offset_days: int) -> KeyRow:
    person, series = person_of(row.series), row.series
    return KeyRow(
        patient_id=row.patient_id,
        session_id=row.session_id,
        stem=stem,
        patient_key=person.key,
        patient_name=person.name,
        birth_date=person.birth_date,
        sex=person.sex,
        study_uid=series.study_uid,
        series_uid=series.series_uid,
        series_number=series.number,
        series_description=one_line(series.description),
        acquired_at=series.acquired_at,
        offset_days=offset_days,
    )
