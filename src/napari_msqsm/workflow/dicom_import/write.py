"""From the import table to the study: everything is built beside it, then moved in at once."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.workflow.dicom_import import dates
from napari_msqsm.workflow.dicom_import.anonymise import AGE_IS_KEPT, AGE_ONLY, IN_THE_STUDY, NOT_LISTED
from napari_msqsm.workflow.dicom_import.build import build
from napari_msqsm.workflow.dicom_import.existing import read_existing
from napari_msqsm.workflow.dicom_import.grouping import grouped
from napari_msqsm.workflow.dicom_import.key_file import read_key
from napari_msqsm.workflow.dicom_import.layout import files_of
from napari_msqsm.workflow.dicom_import.move_in import move_in
from napari_msqsm.workflow.dicom_import.undo import Changes

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from napari_msqsm.workflow.dicom_import.plan import ImportPlan
    from napari_msqsm.workflow.tasks import OnProgress


@dataclass(frozen=True)
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

    sessions: tuple[str, ...]
    files: tuple[Path, ...]
    warnings: tuple[str, ...]
    dropped: Mapping[str, str]
    failed: Mapping[str, str]


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
    root = Path(os.path.abspath(bids_dir))  # noqa: PTH100  no ".." in a name, links as they are
    _refuse(plan)
    _refuse_changed(plan, root, key_file)
    warnings: list[str] = []
    offsets = _offsets(plan, keep_dates=keep_dates, warnings=warnings)
    with Changes() as above:
        above.folder(root.parent)
        staging = _staging(root)
        try:
            built = build(files_of(plan.rows, plan.existing), staging, on_progress=on_progress, cancel=cancel)
            if not built.files:
                raise InputError(
                    f"no series could be written: {next(iter(built.failed.values()), 'none has an image')}"
                )
            _refuse_changed(plan, root, key_file)
            with Changes() as changes:
                files = move_in(
                    built.files,
                    staging,
                    root,
                    existing=plan.existing,
                    key_file=key_file,
                    offsets=offsets,
                    changes=changes,
                    warnings=warnings,
                )
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    sessions = dict.fromkeys(file.row.label for file in built.files)
    return Written(tuple(sessions), files, tuple(warnings), _dropped(plan, built.dropped), built.failed)


def _staging(root: Path) -> Path:
    """Folder for what is built, on the disk of the study, so that it can be renamed into it.

    Beside the study, with links followed; inside it, hidden, where it is a disk of its own or nothing may be written
    beside it.
    """
    real = root.resolve()
    place = real.parent
    if real.is_dir() and (place.stat().st_dev != real.stat().st_dev or not os.access(place, os.W_OK)):
        place = real
    return Path(tempfile.mkdtemp(prefix=".part-", dir=place))


def _refuse(plan: ImportPlan) -> None:
    kept = [row for row in plan.rows if row.is_kept]
    if not kept:
        raise InputError("there is no series to write: all are left out or in the study already")
    for row in kept:
        for what, name in (("patient", row.patient_id), ("session", row.session_id)):
            if not (name.isalnum() and name.isascii()):
                raise ParameterError(f"{what} {name!r} may hold letters and digits only; correct the table")


def _refuse_changed(plan: ImportPlan, root: Path, key_file: Path) -> None:
    """Refuse to add to a study that is not the one that the plan was made for any more."""
    if read_existing(root, read_key(key_file), key_file=key_file) != plan.existing:
        raise InputError(f"{root} or its key file changed since the import was proposed; propose it again")


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


def _dropped(plan: ImportPlan, from_sidecars: Mapping[str, str]) -> dict[str, str]:
    """Every field of headers and sidecars of which the study holds nothing."""
    out = {name: why for name, why in from_sidecars.items() if name not in IN_THE_STUDY or why != NOT_LISTED}
    for row in plan.rows:
        for name, value in row.series.header.items() if row.is_kept else ():
            if name not in IN_THE_STUDY and value not in ("", None):
                out.setdefault(name, NOT_LISTED)
    return dict(sorted({name: AGE_IS_KEPT if name in AGE_ONLY else why for name, why in out.items()}.items()))
