"""From the import table to the study: everything is built beside it, then moved in at once."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_msqsm._backend import default_threads
from napari_msqsm.errors import CancelledError, InputError, ParameterError
from napari_msqsm.workflow.dicom_import import dates, describe
from napari_msqsm.workflow.dicom_import.anonymise import (
    AGE_ONLY,
    FREE_TEXT,
    NOT_LISTED,
    USED,
    clean_sidecar,
    secrets_of,
)
from napari_msqsm.workflow.dicom_import.existing import KeyRow
from napari_msqsm.workflow.dicom_import.grouping import grouped, one_line
from napari_msqsm.workflow.dicom_import.images import copy_bare
from napari_msqsm.workflow.dicom_import.key_file import appended_key
from napari_msqsm.workflow.dicom_import.layout import PlannedFile, files_of
from napari_msqsm.workflow.dicom_import.people import person_of
from napari_msqsm.workflow.dicom_import.settle import by_session
from napari_msqsm.workflow.dicom_import.tables import with_rows
from napari_msqsm.workflow.dicom_import.undo import Changes

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from napari_msqsm.workflow.dicom_import.existing import Existing
    from napari_msqsm.workflow.dicom_import.plan import ImportPlan, PlannedSeries
    from napari_msqsm.workflow.tasks import OnProgress

_SEXES = ("F", "M", "O")


@dataclass
class Written:
    """What an import wrote.

    Parameters
    ----------
    sessions
        BIDS names.
    files
        Images.
    warnings
        One sentence each.
    dropped
        Header field → why it did not survive; without its value.
    failed
        Acquisition → why it could not be written.
    """

    sessions: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    dropped: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def write_plan(
    plan: ImportPlan,
    bids_dir: Path,
    key_file: Path,
    *,
    keep_dates: bool = False,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> Written:
    """Write a settled plan.

    Parameters
    ----------
    plan
        What becomes of every series.
    bids_dir
        The study; new or existing.
    key_file
        Private file that says who is who, outside the study.
    keep_dates
        Write true dates.
    on_progress, cancel
        As for every task; after a cancel nothing of this import is in the study.

    Raises
    ------
    InputError, ParameterError
        When nothing can be written, or a name in the plan cannot be that of a patient or a session.
    CancelledError
        When it was cancelled.
    """
    _refuse(plan)
    out = Written()
    offsets = _offsets(plan, keep_dates=keep_dates, warnings=out.warnings)
    files = files_of(plan.rows, plan.existing)
    whole = bids_dir.absolute()
    with Changes() as changes:
        changes.folder(whole.parent)
        staging = Path(tempfile.mkdtemp(prefix=".part-", dir=whole.parent))
        try:
            done = _build(files, staging, out, on_progress, cancel)
            if not done:
                why = next(iter(out.failed.values()), "")
                raise InputError(f"no series could be written ({why})")
            _move_in(plan, done, staging, whole, key_file, offsets, changes, out, keep_dates=keep_dates)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return out


def _refuse(plan: ImportPlan) -> None:
    kept = [row for row in plan.rows if row.is_kept]
    if not kept:
        raise InputError("there is no series to write: all are left out or in the study already")
    for row in kept:
        if not (row.patient_id.isalnum() and row.patient_id.isascii()):
            raise ParameterError(f"patient {row.patient_id!r} may hold letters and digits only; correct the table")
        if not (row.session_id.isalnum() and row.session_id.isascii()):
            raise ParameterError(f"session {row.session_id!r} may hold letters and digits only; correct the table")


def _offsets(plan: ImportPlan, *, keep_dates: bool, warnings: list[str]) -> dict[str, int]:
    """Days by which the dates of each patient move: those of earlier imports, else new ones."""
    out = {}
    for patient_id, rows in grouped((row for row in plan.rows if row.is_kept), lambda row: row.patient_id).items():
        known = plan.existing.offset_days(patient_id)
        if known is None and patient_id in plan.existing.sessions and not keep_dates:
            raise InputError(
                f"sub-{patient_id} is in the study, but not in the key file: by how many days its dates were moved is "
                "not known; give the right --key-file, or --keep-dates where its dates are true"
            )
        if known and keep_dates:
            raise ParameterError(
                f"the dates of sub-{patient_id} in the study were moved; true ones beside them would make lesion ages "
                "wrong; leave --keep-dates out"
            )
        if known == 0 and not keep_dates:
            warnings.append(f"dates of sub-{patient_id} are kept, as they were at its first import")
        if known is None:
            begin = dates.begin_of(rows) or datetime.now()  # noqa: DTZ005  any day: there is no date to hide
            known = 0 if keep_dates else dates.new_offset_days(begin)
        out[patient_id] = known
    return out


def _build(
    files: Sequence[PlannedFile],
    staging: Path,
    out: Written,
    on_progress: OnProgress | None,
    cancel: threading.Event | None,
) -> list[PlannedFile]:
    """Write images and sidecars below the staging folder; an acquisition of which one image fails is left out."""

    def one(file: PlannedFile) -> dict[str, str]:
        if cancel is not None and cancel.is_set():
            raise CancelledError("cancelled while images were written")
        place = _place(staging, file)
        emptied = copy_bare(file.image.path, place / f"{file.name}.nii.gz")
        cleaned = clean_sidecar(file.image.sidecar, secrets_of(file.row.series))
        (place / f"{file.name}.json").write_text(describe.as_json(_sidecar(file, cleaned.kept)), "utf-8")
        return cleaned.dropped | dict.fromkeys((f"NIfTI {name}" for name in emptied), FREE_TEXT)

    for place in {_place(staging, file) for file in files}:
        place.mkdir(parents=True)
    with ThreadPoolExecutor(default_threads()) as pool:
        running = {pool.submit(one, file): file for file in files}
        try:
            for count, future in enumerate(as_completed(running), start=1):
                file = running[future]
                try:
                    out.dropped |= future.result()
                except InputError as error:
                    out.failed.setdefault(file.stem, str(error))
                if on_progress:
                    on_progress(f"Writing {file.name}", count / (len(files) + 1))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for file in files:
        if file.stem in out.failed:
            for ending in (".nii.gz", ".json"):
                (_place(staging, file) / f"{file.name}{ending}").unlink(missing_ok=True)
    if cancel is not None and cancel.is_set():
        raise CancelledError("cancelled before anything was moved into the study")
    return [file for file in files if file.stem not in out.failed]


def _move_in(
    plan: ImportPlan,
    files: Sequence[PlannedFile],
    staging: Path,
    root: Path,
    key_file: Path,
    offsets: Mapping[str, int],
    changes: Changes,
    out: Written,
    *,
    keep_dates: bool,
) -> None:
    rows = list({file.row.series.series_uid: file.row for file in files}.values())
    stems = {file.row.series.series_uid: file.stem for file in files}
    key = [_key_row(row, stems[row.series.series_uid], offsets[row.patient_id]) for row in rows]
    changes.write(key_file, appended_key(key_file, key), private=True)
    changes.folder(root)
    for name, text in describe.study_files(root.name).items():
        if not (root / name).exists() and not (name == "README.md" and any(root.glob("README*"))):
            changes.write(root / name, text)
    for label, visit in by_session(rows).items():
        own = [file for file in files if file.row.label == label]
        _move_session(visit, own, staging, root, plan.existing, offsets[visit[0].patient_id], changes, out)
        out.sessions.append(label)
    for patient_id, group in grouped(rows, lambda row: row.patient_id).items():
        table = root / f"sub-{patient_id}" / f"sub-{patient_id}_sessions.tsv"
        new = [
            _session_row(visit, plan, offsets[patient_id], out.warnings, keep_dates=keep_dates)
            for visit in by_session(group).values()
        ]
        changes.write(table, with_rows(table, "session_id", new, prefix="ses-", sort_by="acq_time"))
    people = [
        {"participant_id": f"sub-{patient_id}", "sex": _sex(group)}
        for patient_id, group in grouped(rows, lambda row: row.patient_id).items()
    ]
    table = root / "participants.tsv"
    changes.write(table, with_rows(table, "participant_id", people, prefix="sub-"))
    for row in rows:
        for name in row.series.header:
            if name in AGE_ONLY:
                out.dropped[name] = "the age in years is kept"
            elif name not in USED:
                out.dropped.setdefault(name, NOT_LISTED)


def _move_session(
    rows: Sequence[PlannedSeries],
    files: Sequence[PlannedFile],
    staging: Path,
    root: Path,
    existing: Existing,
    offset_days: int,
    changes: Changes,
    out: Written,
) -> None:
    label, first = rows[0].label, rows[0]
    home = root / f"sub-{first.patient_id}" / f"ses-{first.session_id}"
    begin = _begin(rows, existing)
    table = home / f"{label}_scans.tsv"
    scans = [
        {
            "filename": f"{file.folder}/{file.name}.nii.gz",
            "acq_time": _written(file.row.series.acquired_at, begin, offset_days),
            "post_gd": file.row.post_gd,
        }
        for file in files
    ]
    text = with_rows(table, "filename", scans)
    if home.exists():
        for file in files:
            for ending in (".nii.gz", ".json"):
                name = f"{file.name}{ending}"
                changes.move(_place(staging, file) / name, home / file.folder / name)
        changes.write(table, text)
    else:
        built = staging / home.parent.name / home.name
        (built / table.name).write_text(text, "utf-8", newline="")
        changes.move(built, home)
    out.files += [home / file.folder / f"{file.name}.nii.gz" for file in files]


def _place(staging: Path, file: PlannedFile) -> Path:
    return staging / f"sub-{file.row.patient_id}" / f"ses-{file.row.session_id}" / file.folder


def _sidecar(file: PlannedFile, kept: dict[str, Any]) -> dict[str, Any]:
    """Put together what survived and what the plan knows."""
    more: dict[str, Any] = {}
    if file.image.echo_time_s is not None and "EchoTime" not in kept:
        more["EchoTime"] = file.image.echo_time_s
    if file.image.part == "phase" and "Units" not in kept:
        more["Units"] = "arbitrary"
    if file.image.part == "field":
        more["Units"] = "Hz"
    if file.row.post_gd is not None:
        more["PostGadolinium"] = file.row.post_gd
    if file.row.role.startswith("ce-gadolinium"):
        more["ContrastBolusIngredient"] = "GADOLINIUM"
    return {**kept, **more}


def _begin(rows: Sequence[PlannedSeries], existing: Existing) -> datetime | None:
    """When the session began: its earliest scan, of this import or an earlier one."""
    times = [
        known.acquired_at
        for known in existing.key
        if (known.patient_id, known.session_id) == (rows[0].patient_id, rows[0].session_id)
        and known.acquired_at is not None
    ]
    own = dates.begin_of(rows)
    return min(times if own is None else [*times, own], default=None)


def _written(acquired_at: datetime | None, begin: datetime | None, offset_days: int) -> str | None:
    if acquired_at is None or begin is None:
        return None
    return dates.written_time(acquired_at, begin, offset_days).isoformat()


def _session_row(
    rows: Sequence[PlannedSeries], plan: ImportPlan, offset_days: int, warnings: list[str], *, keep_dates: bool
) -> dict[str, object]:
    begin = _begin(rows, plan.existing)
    age = dates.age_y(rows[0].series.header, begin, exact=not keep_dates)
    if age is not None and age >= dates.OLDEST_AGE_Y:
        warnings.append(f"{rows[0].label}: an age above 89 identifies a person and is written as 89")
        age = float(dates.OLDEST_AGE_Y)
    return {"session_id": f"ses-{rows[0].session_id}", "acq_time": _written(begin, begin, offset_days), "age": age}


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
