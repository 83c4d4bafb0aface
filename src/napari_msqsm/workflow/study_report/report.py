"""The whole report on a study, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from napari_msqsm import __version__
from napari_msqsm.errors import CancelledError, MsqsmError
from napari_msqsm.io.bids_check import Finding, check_study
from napari_msqsm.workflow.study_report.contents import SessionContents, contents_of
from napari_msqsm.workflow.study_report.lacks import Lack, lacks_of
from napari_msqsm.workflow.study_report.pictures import draw
from napari_msqsm.workflow.study_report.protocols import Difference, Protocol, differences, protocols_of
from napari_msqsm.workflow.study_report.quality import (
    MapQuality,
    made_differently,
    picture_path,
    qualities_of,
    quality_of_folder,
)
from napari_msqsm.workflow.study_report.validator import validate

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from napari_msqsm.model.study import Study
    from napari_msqsm.workflow.tasks import OnProgress


@dataclass(frozen=True)
class StudyReport:
    """What a study holds and lacks.

    Parameters
    ----------
    root
        Folder of the study.
    name
        Of the study.
    contents
        Session by session.
    protocols, protocol_differences
        How images were acquired, and where that differs.
    lacks
        What each analysis needs.
    findings
        Of our check and, where it is installed, of the public validator.
    checked_by
        Which checks have run.
    qualities
        Of every map.
    unlike
        Patients whose maps were not made alike.
    notes
        What could not be done.
    made_at
        When the report was made.
    """

    root: Path
    name: str
    contents: tuple[SessionContents, ...]
    protocols: tuple[Protocol, ...]
    protocol_differences: tuple[Difference, ...]
    lacks: tuple[Lack, ...]
    findings: tuple[Finding, ...]
    checked_by: str
    qualities: tuple[MapQuality, ...]
    unlike: tuple[str, ...]
    notes: tuple[str, ...]
    made_at: str

    @property
    def n_patients(self) -> int:
        """How many patients there are."""
        return len({row.session.patient_id for row in self.contents})

    def protocol_letter(self, image: str, label: str) -> str:
        """Letter of a session's protocol; empty where all have one, or it lacks the image."""
        own = [protocol for protocol in self.protocols if protocol.image == image]
        if len(own) < 2:
            return ""
        return next((protocol.letter for protocol in own if label in protocol.sessions), "")

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {
            "study": self.name,
            "made_at": self.made_at,
            "software": f"napari-msqsm {__version__}",
            "patients": self.n_patients,
            "sessions": [row.as_json() for row in self.contents],
            "protocols": [protocol.as_json() for protocol in self.protocols],
            "protocol_differences": [difference.as_json() for difference in self.protocol_differences],
            "lacks": [lack.as_json() for lack in self.lacks],
            "checked_by": self.checked_by,
            "findings": [finding.as_json() for finding in self.findings],
            "quality": [quality.as_json() for quality in self.qualities],
            "made_differently": list(self.unlike),
            "notes": list(self.notes),
        }


def study_report(
    study: Study,
    *,
    validator: bool = True,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> StudyReport:
    """Look at a whole study; a picture is made of every map that has none.

    Parameters
    ----------
    study
        From `napari_msqsm.io.bids.open_study`.
    validator
        Whether the public BIDS validator is asked too, where it is installed.
    on_progress, cancel
        Progress and cancelling.

    Raises
    ------
    CancelledError
        When it was cancelled.
    """

    def step(message: str, fraction: float) -> None:
        if cancel is not None and cancel.is_set():
            raise CancelledError("cancelled")
        if on_progress is not None:
            on_progress(message, fraction)

    step("looking at sessions", 0.05)
    contents = contents_of(study)
    step("comparing protocols", 0.1)
    protocols = protocols_of(study)
    step("checking BIDS", 0.2)
    findings, checked_by = check_study(study.root), "the check of napari-msqsm"
    if validator:
        public = validate(study.root)
        if public is None:
            checked_by += " (the public BIDS validator is not installed)"
        else:
            findings, checked_by = findings + public, f"{checked_by} and the public BIDS validator"
    step("reading quality numbers", 0.4)
    qualities, notes = [], []
    found = qualities_of(study)
    for index, quality in enumerate(found):
        step(f"{quality.label}: picture", 0.4 + 0.6 * index / len(found))
        pictured, problem = _with_picture(study, quality)
        qualities.append(pictured)
        notes += [problem] if problem else []
    return StudyReport(
        root=study.root,
        name=study.root.resolve().name,
        contents=contents,
        protocols=protocols,
        protocol_differences=differences(protocols),
        lacks=lacks_of(study, contents),
        findings=findings,
        checked_by=checked_by,
        qualities=tuple(qualities),
        unlike=made_differently(study),
        notes=tuple(notes),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def folder_report(folder: Path) -> MapQuality:
    """Judge one reconstruction outside a study; its picture is made where there is none.

    Raises
    ------
    InputError
        When the folder holds none.
    """
    quality = quality_of_folder(folder)
    if quality.picture is not None:
        return quality
    names = ("Chimap", "localfield", "R2starmap", "mask", "csf_mask")
    picture = draw(folder / "qa.png", {name: folder / f"{name}.nii.gz" for name in names}, title=quality.label)
    return replace(quality, picture=picture)


def _with_picture(study: Study, quality: MapQuality) -> tuple[MapQuality, str]:
    if quality.picture is not None:
        return quality, ""
    session = study.session(quality.label)
    try:
        picture = draw(picture_path(study, quality.label), session.derivatives, title=quality.label)
    except MsqsmError as error:
        return quality, f"{quality.label}: no picture could be made: {error}"
    return replace(quality, picture=picture), ""
