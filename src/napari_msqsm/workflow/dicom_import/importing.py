"""The import as the command line and the window call it: read and propose, correct, write."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import InputError
from napari_msqsm.io.dicom.series import LeftOut
from napari_msqsm.workflow.dicom_import.existing import read_existing
from napari_msqsm.workflow.dicom_import.key_file import key_path, read_key
from napari_msqsm.workflow.dicom_import.propose import propose
from napari_msqsm.workflow.dicom_import.settle import settle
from napari_msqsm.workflow.dicom_import.write import write_plan

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from napari_msqsm.io.dicom.series import Staged
    from napari_msqsm.workflow.dicom_import.plan import ImportPlan
    from napari_msqsm.workflow.tasks import OnProgress

__all__ = ["ImportOutcome", "Proposal", "left_out_rows", "settle", "stage_and_propose", "write_study"]

_OPEN: set[Path] = set()
"""Private folders of this process, which are removed at its end where nobody did before."""


@dataclass(frozen=True)
class Proposal:
    """Converted series in a private folder, and what is proposed to become of them.

    A context manager: the folder, which holds the patients' names, goes at its end. `discard` removes it too.
    """

    plan: ImportPlan
    staged: Staged

    def discard(self) -> None:
        """Remove the private folder; calling it again does nothing."""
        _remove(self.staged.folder)

    def __enter__(self) -> Proposal:
        return self

    def __exit__(self, *error: object) -> None:
        self.discard()


@dataclass(frozen=True)
class ImportOutcome:
    """What an import did.

    Parameters
    ----------
    bids_dir, key_file
        The study, and the private file that says who is who.
    sessions
        BIDS names of the sessions that were written or added to.
    files
        Images that were written.
    warnings
        One sentence each.
    dropped
        Header field → why it did not survive.
    assumptions
        What was taken for granted about the values of images, one sentence each.
    left_out
        Files and series that are not in the study, and why.
    """

    bids_dir: Path
    key_file: Path
    sessions: tuple[str, ...]
    files: tuple[Path, ...]
    warnings: tuple[str, ...] = ()
    dropped: Mapping[str, str] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines. Names of files and series that were left out may identify patients."""
        return {
            "bids_dir": self.bids_dir.name,
            "sessions": list(self.sessions),
            "files": [path.relative_to(self.bids_dir).as_posix() for path in self.files],
            "warnings": list(self.warnings),
            "dropped": dict(self.dropped),
            "assumptions": list(self.assumptions),
            "left_out": [{"what": item.what, "why": item.why} for item in self.left_out],
        }


def stage_and_propose(
    dicom_dir: Path,
    bids_dir: Path,
    *,
    key_file: Path | None = None,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> Proposal:
    """Convert a DICOM folder into a private folder and propose what becomes of every series; the study is not touched.

    Parameters
    ----------
    dicom_dir
        Nested as it may be.
    bids_dir
        The study: new, or one to add sessions to.
    key_file
        Its private key file; ``<bids_dir>_key.tsv`` beside it when not given.
    on_progress, cancel
        As for every task.

    Raises
    ------
    InputError
        When the DICOM folder does not exist, or the study's folder holds something else.
    ParameterError
        When the key file would lie inside the study.
    """
    from napari_msqsm.io.dicom.stage import stage

    if not dicom_dir.is_dir():
        raise InputError(f"{dicom_dir} is not a folder; give the folder of the DICOM files")
    key_file = key_path(bids_dir, key_file)
    existing = read_existing(bids_dir, read_key(key_file), key_file=key_file)
    folder = _private_folder(bids_dir)
    try:
        staged = stage(dicom_dir, folder, on_progress=on_progress, cancel=cancel)
        plan = propose(staged, existing)
    except BaseException:
        _remove(folder)
        raise
    return Proposal(plan, replace(staged, folder=folder))


def write_study(
    proposal: Proposal,
    plan: ImportPlan,
    bids_dir: Path,
    *,
    keep_dates: bool = False,
    key_file: Path | None = None,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> ImportOutcome:
    """Write a plan into the study, anonymised; all of it or, where it fails or is cancelled, nothing.

    Parameters
    ----------
    proposal
        Holds the converted series.
    plan
        Its plan, corrected or not.
    bids_dir, key_file
        As proposed.
    keep_dates
        Write true dates instead of moved ones.
    on_progress, cancel
        As for every task.

    Raises
    ------
    InputError, ParameterError
        When nothing can be written, or the study has changed since the plan was proposed.
    """
    key_file = key_path(bids_dir, key_file)
    if not proposal.staged.folder.is_dir():
        raise InputError("the converted series are gone; read the DICOM folder again")
    plan = settle(plan)
    written = write_plan(plan, bids_dir, key_file, keep_dates=keep_dates, on_progress=on_progress, cancel=cancel)
    failed = [LeftOut(stem, why) for stem, why in written.failed.items()]
    return ImportOutcome(
        bids_dir=Path(os.path.abspath(bids_dir)),  # noqa: PTH100  as the files are named
        key_file=key_file,
        sessions=written.sessions,
        files=written.files,
        warnings=written.warnings,
        dropped=written.dropped,
        assumptions=assumptions_of(plan),
        left_out=(*plan.left_out, *left_out_rows(plan), *failed),
    )


def assumptions_of(plan: ImportPlan) -> tuple[str, ...]:
    """Say what was taken for granted about the values of the images that are kept, each with its series."""
    rows = (row for row in plan.rows if row.is_kept)
    return tuple(f"{row.label}, series {row.series.number}: {text}" for row in rows for text in row.series.assumptions)


def left_out_rows(plan: ImportPlan) -> list[LeftOut]:
    """Series that are converted but not written, why, and what is wrong with them."""
    rows = (row for row in plan.rows if not row.is_kept)
    return [
        LeftOut(f"series {row.series.number} ({row.series.description})", "; ".join((row.why, *row.series.problems)))
        for row in rows
    ]


def _private_folder(bids_dir: Path) -> Path:
    """Folder for converted series that only its owner can read: beside the study, where there is room for it."""
    above = bids_dir.absolute().parent
    while not above.exists():
        above = above.parent
    place = above if os.access(above, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix=".msqsm-import-", dir=place))
    _OPEN.add(folder)
    return folder


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _OPEN.discard(folder)


@atexit.register
def _remove_all() -> None:
    for folder in tuple(_OPEN):
        _remove(folder)
