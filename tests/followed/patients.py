"""Synthetic patients of fixed difficulty, followed for a year from the onset of their lesions, and the truth of them.

Everything between the complex echoes and the numbers is the product's: reconstruction by the recommended preset and
alignment as `msqsm run` does them, files in between.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.io.bids import open_study
from napari_msqsm.io.nifti import load_raw
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.phantom.central_veins import central_vein_mask
from napari_msqsm.phantom.design import StudyDesign
from napari_msqsm.phantom.person import drawn_person, stream_of
from napari_msqsm.phantom.study import write_study
from napari_msqsm.qsm.presets import PRESETS
from napari_msqsm.workflow.coregistration.patient import GRE, coregister_patient, pairs_of
from napari_msqsm.workflow.reconstruct import reconstruct_session
from napari_msqsm.workflow.workbench.maps import PatientMaps

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.study import Session, Study
    from napari_msqsm.phantom.lesions import Lesion

DESIGN = StudyDesign(
    n_sessions=2,
    interval_y=1.0,
    n_lesions=30,
    lesion_radius_mm=(2.5, 6.0),
    rim_ppb=(10.0, 25.0),
    voxel_size_mm=(0.75, 0.75, 3.0),
    flair_voxel_size_mm=(1.0, 1.0, 3.0),
    field_of_view_mm=(153.0, 189.0, 72.0),
    centre_mm=(0.0, -14.0, 26.0),
    noise=0.035,
    structural_noise=0.03,
    heterogeneity_ppb=5.0,
    subvoxel_mm=0.75,
    true_fields=False,
)
"""Noise of 6 ppb in the reconstructed χ of white matter: see `bench_noise`. The slices hold the places of lesions."""


@dataclass(frozen=True, eq=False)
class TrueSession:
    """What is true of one session.

    Parameters
    ----------
    label, time_y
        BIDS name, and years since the first.
    chi_ppm, tissues
        (X, Y, Z) on the grid of its gradient echo.
    transform
        Scanner positions at the baseline → those at this session.
    flair_lesions, flair_grid
        Lesions by number on FLAIR.
    """

    label: str
    time_y: float
    chi_ppm: NDArray[np.float32]
    tissues: NDArray[np.uint8]
    transform: AffineTransform
    flair_lesions: NDArray[np.uint8]
    flair_grid: Grid


@dataclass(frozen=True, eq=False)
class FollowedPatient:
    """A patient with two sessions.

    Parameters
    ----------
    maps
        What the product knows.
    lesions
        As they were drawn, by number.
    regions, veins
        (X, Y, Z) on the baseline grid: voxels of which at least half is lesion, by number, and those that a central
        vein touches.
    sessions
        The truth of each, in order.
    """

    maps: PatientMaps
    lesions: dict[int, Lesion]
    regions: NDArray[np.uint8]
    veins: NDArray[np.bool_]
    sessions: tuple[TrueSession, ...]


def follow(folder: Path, seed: int, design: StudyDesign = DESIGN) -> FollowedPatient:
    """Make the patient of a seed, reconstruct and align; what is in the folder already is not made again."""
    design = design.model_copy(update={"seed": seed})
    if not folder.exists():
        write_study(folder, design)
        study = open_study(folder)
        for session in study.sessions:
            reconstruct_session(study, session, PRESETS["recommended"], device="cpu")
        pairs = [pair for pair in pairs_of(study, "01") if pair.contrast in {GRE, "FLAIR"}]
        coregister_patient(study, "01", pairs=pairs, device="cpu")
    return read(folder, design)


def read(folder: Path, design: StudyDesign) -> FollowedPatient:
    """Read a patient that was made."""
    study = open_study(folder)
    maps = PatientMaps(study, "01")
    person, times_y = drawn_person(stream_of(design, 0), design)
    sessions = tuple(_truth(study, session, t) for session, t in zip(maps.sessions, times_y, strict=True))
    first = _true_folder(study, maps.baseline)
    regions = load_raw(first / "anat" / f"{maps.baseline.label}_desc-lesions_dseg.nii.gz").array
    return FollowedPatient(
        maps,
        {lesion.lesion_id: lesion for lesion in person.lesions},
        np.asarray(regions, dtype=np.uint8),
        central_vein_mask(person.lesions, grid=maps.grid, pose=np.eye(4)),
        sessions,
    )


def _truth(study: Study, session: Session, time_y: float) -> TrueSession:
    folder = _true_folder(study, session)
    chi, tissues, flair = (
        load_raw(folder / "anat" / f"{session.label}_{name}.nii.gz")
        for name in ("Chimap", "desc-tissues_dseg", "space-FLAIR_desc-lesions_dseg")
    )
    pose = json.loads((folder / f"{session.label}_desc-pose_xfm.json").read_text("utf-8"))["Matrix"]
    return TrueSession(
        session.label,
        time_y,
        np.asarray(chi.array, dtype=np.float32),
        np.asarray(tissues.array, dtype=np.uint8),
        AffineTransform(np.array(pose)),
        np.asarray(flair.array, dtype=np.uint8),
        flair.grid,
    )


def _true_folder(study: Study, session: Session) -> Path:
    return study.root / "derivatives" / "truth" / f"sub-{session.patient_id}" / f"ses-{session.session_id}"
