"""Images and sidecars of a plan, written into a staging folder by several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_msqsm._backend import default_threads
from napari_msqsm.errors import CancelledError, InputError
from napari_msqsm.io.atomic import atomic_path
from napari_msqsm.workflow.dicom_import.anonymise import FREE_TEXT, clean_sidecar, secrets_of
from napari_msqsm.workflow.dicom_import.describe import as_json
from napari_msqsm.workflow.dicom_import.images import copy_bare

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence
    from pathlib import Path

    from napari_msqsm.workflow.dicom_import.layout import PlannedFile
    from napari_msqsm.workflow.tasks import OnProgress


@dataclass(frozen=True)
class Built:
    """What lies in the staging folder.

    Parameters
    ----------
    files
        Those that were written.
    dropped
        Header field → why it did not survive.
    failed
        Acquisition → why it could not be written.
    """

    files: tuple[PlannedFile, ...]
    dropped: dict[str, str]
    failed: dict[str, str]


def build(
    files: Sequence[PlannedFile],
    staging: Path,
    *,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> Built:
    """Write images and sidecars; an acquisition of which one image fails is left out as a whole.

    Parameters
    ----------
    files
        Of the plan.
    staging
        Empty folder; in it each file has the place that it has in the study.
    on_progress, cancel
        As for every task.

    Raises
    ------
    CancelledError
        When it was cancelled.
    """
    dropped: dict[str, str] = {}
    failed: dict[str, str] = {}

    def one(file: PlannedFile) -> dict[str, str]:
        _stop_if(cancel)
        return _write(file, place_of(staging, file))

    for place in {place_of(staging, file) for file in files}:
        place.mkdir(parents=True)
    pool = ThreadPoolExecutor(default_threads())
    try:
        running = {pool.submit(one, file): file for file in files}
        for count, future in enumerate(as_completed(running), start=1):
            file = running[future]
            try:
                dropped |= future.result()
            except InputError as error:
                failed.setdefault(file.stem, str(error))
            if on_progress:
                on_progress(f"Writing {file.name}", count / (len(files) + 1))
    finally:
        pool.shutdown(cancel_futures=True)
    for file in files:
        if file.stem in failed:
            for ending in (".nii.gz", ".json"):
                (place_of(staging, file) / f"{file.name}{ending}").unlink(missing_ok=True)
    for place in {place_of(staging, file) for file in files if file.stem in failed}:
        if not any(place.iterdir()):
            place.rmdir()
    _stop_if(cancel)
    return Built(tuple(file for file in files if file.stem not in failed), dropped, failed)


def place_of(root: Path, file: PlannedFile) -> Path:
    """Folder of a file below the study, or below the staging folder."""
    return root / f"sub-{file.row.patient_id}" / f"ses-{file.row.session_id}" / file.folder


def _write(file: PlannedFile, place: Path) -> dict[str, str]:
    """Write image and sidecar, and say which fields did not survive."""
    emptied = copy_bare(file.image.path, place / f"{file.name}.nii.gz")
    cleaned = clean_sidecar(file.image.sidecar, secrets_of(file.row.series))
    with atomic_path(place / f"{file.name}.json") as temporary:
        temporary.write_text(as_json({**cleaned.kept, **_known(file, cleaned.kept)}), "utf-8")
    return cleaned.dropped | dict.fromkeys((f"NIfTI {name}" for name in emptied), FREE_TEXT)


def _known(file: PlannedFile, kept: dict[str, Any]) -> dict[str, Any]:
    """Add what the plan knows beside the sidecar."""
    out: dict[str, Any] = {}
    if file.image.echo_time_s is not None and "EchoTime" not in kept:
        out["EchoTime"] = file.image.echo_time_s
    if file.image.part == "phase" and "Units" not in kept:
        out["Units"] = "arbitrary"
    if file.image.part == "field":
        out["Units"] = "Hz"
    if file.row.post_gd is not None:
        out["PostGadolinium"] = file.row.post_gd
    if file.row.role.startswith("ce-gadolinium"):
        out["ContrastBolusIngredient"] = "GADOLINIUM"
    return out


def _stop_if(cancel: threading.Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise CancelledError("cancelled while images were written; nothing of this import is in the study")
