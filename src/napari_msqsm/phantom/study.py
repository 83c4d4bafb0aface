"""A synthetic BIDS study on disk, with its truth as derivatives."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from napari_msqsm import __version__
from napari_msqsm.errors import CancelledError, InputError
from napari_msqsm.io.atomic import atomic_path
from napari_msqsm.io.nifti import save_volume
from napari_msqsm.io.tables import write_table
from napari_msqsm.phantom.contrasts import structural_images
from napari_msqsm.phantom.person import drawn_person, stream_of
from napari_msqsm.phantom.scan import GradientEcho, gradient_echo, scan_grid
from napari_msqsm.phantom.scanner import SCANNERS
from napari_msqsm.phantom.truth_files import (
    lesion_rows,
    tissue_names,
    write_flair_lesions,
    write_json,
    write_transform,
    write_true_fields,
    write_truth,
)
from napari_msqsm.phantom.visit import RESCAN_SUFFIX, Visit, drawn_pose

if TYPE_CHECKING:
    import threading

    from napari_msqsm.phantom.design import StudyDesign
    from napari_msqsm.phantom.patient import SyntheticPatient

_BIDS_VERSION = "1.10.0"
_START = datetime(2015, 3, 2, 9, 30)  # noqa: DTZ001  BIDS dates carry no time zone
_DAYS_PER_YEAR = 365.25
_UNTIL_RESCAN = timedelta(minutes=40)
_LATER = frozenset({"rescan", "centre_mm", "lesion_radius_mm", "rim_ppb", "structural_noise"})
_RESCAN_STREAM = 1
"""Draws of a rescan come from a stream of their own, so that the first scans stay what they are without it."""
_ABOUT_RESCANS = f"""
Every session was scanned twice: `ses-…{RESCAN_SUFFIX}` is the gradient echo again, on the same day and scanner, before
the contrast agent, with new noise, another pose of the head and slices placed anew. `rescan_of` in `sub-*_sessions.tsv`
names the first scan; the truth holds the transform between the two.
"""
Report = Callable[[str, float], None]


def write_study(
    root: Path,
    design: StudyDesign,
    *,
    on_progress: Callable[[str, float], None] | None = None,
    cancel: threading.Event | None = None,
) -> Path:
    """Make a study and write it.

    Parameters
    ----------
    root
        New or empty folder.
    design
        What the study is made of.
    on_progress
        Called with what is being made and the fraction done; may raise to stop.
    cancel
        When set, the work stops before the next session.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        When the folder holds something already.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise InputError(f"{root} is not empty; give a new folder for the synthetic study")
    root.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".part-", dir=root.parent))

    def report(title: str, fraction: float) -> None:
        if cancel is not None and cancel.is_set():
            raise CancelledError(f"cancelled during: {title}")
        if on_progress:
            on_progress(title, fraction)

    try:
        _write(unfinished, design, report)
        if root.exists():
            root.rmdir()
        unfinished.chmod(0o755)
        unfinished.rename(root)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    report("Done", 1.0)
    return root


def _write(root: Path, design: StudyDesign, report: Report) -> None:
    truth = root / "derivatives" / "truth"
    _describe(root, truth, design)
    participants = []
    for patient in range(design.n_patients):
        rng = stream_of(design, patient)
        participants.append(_write_patient(root, truth, design, patient, rng, report))
    write_table(root / "participants.tsv", pd.DataFrame(participants))


def _write_patient(
    root: Path,
    truth: Path,
    design: StudyDesign,
    patient: int,
    rng: np.random.Generator,
    report: Report,
) -> dict[str, Any]:
    patient_id = f"{patient + 1:02d}"
    person, times = drawn_person(rng, design)
    age, duration, edss = rng.uniform(24, 48), rng.uniform(1, 9), rng.choice([1.0, 1.5, 2.0, 2.5, 3.0])
    start = _START + timedelta(days=int(rng.integers(0, 300)))
    sessions, rows = [], []
    for index, time_y in enumerate(times):
        done = (patient * len(times) + index) / (design.n_patients * len(times))
        report(f"Patient {patient_id}, session {index + 1}", done)
        pose = np.eye(4) if index == 0 else drawn_pose(rng, design)
        scanner = SCANNERS[index % len(SCANNERS)]
        visit = Visit(patient_id, f"{index + 1:02d}", time_y, scanner, pose, design.tilt_deg)
        rows += _write_visit(root, truth, design, person, visit, rng)
        scanned_at = start + timedelta(days=round(time_y * _DAYS_PER_YEAR))
        row = {
            "session_id": f"ses-{visit.session_id}",
            "acq_time": scanned_at.isoformat(),
            "age": round(age + time_y, 2),
            "edss": float(edss) + (0.5 if time_y > 2 else 0.0),
            "disease_duration": round(duration + time_y, 2),
            "treatment_duration": round(0.6 * duration + time_y, 2),
        }
        sessions.append(row)
        if design.rescan:
            report(f"Patient {patient_id}, session {index + 1}, rescan", done + 0.5 / (design.n_patients * len(times)))
            own = np.random.default_rng((design.seed, patient, index, _RESCAN_STREAM))
            again = visit.repeated(own, design)
            rows += _write_visit(root, truth, design, person, again, own)
            sessions[-1] = row | {"rescan_of": None}
            sessions.append(
                row
                | {
                    "session_id": f"ses-{again.session_id}",
                    "acq_time": (scanned_at + _UNTIL_RESCAN).isoformat(),
                    "rescan_of": f"ses-{visit.session_id}",
                }
            )
    name = f"sub-{patient_id}"
    write_table(root / name / f"{name}_sessions.tsv", pd.DataFrame(sessions))
    write_table(truth / name / f"{name}_lesions.tsv", pd.DataFrame(rows))
    return {"participant_id": name, "sex": "F" if rng.uniform() < 0.7 else "M", "age": round(age, 2)}


def _write_visit(
    root: Path,
    truth: Path,
    design: StudyDesign,
    person: SyntheticPatient,
    visit: Visit,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    grid = scan_grid(design.voxel_size_mm, design.field_of_view_mm, tilt_deg=visit.tilt_deg, centre_mm=design.centre_mm)
    scan = gradient_echo(
        person,
        time_y=visit.time_y,
        grid=grid,
        pose=visit.pose,
        scanner=visit.scanner,
        n_echoes=design.n_echoes,
        noise=design.noise,
        subvoxel_mm=design.subvoxel_mm,
        blank_air=design.blank_air,
        rng=rng,
    )
    _write_echoes(root, visit, scan, design.magnitude_levels)
    if visit.first is None:
        _write_structural(root, truth, design, person, visit, rng)
    else:
        write_transform(truth, visit, visit.first)
    write_truth(truth, visit, scan)
    if design.true_fields:
        write_true_fields(truth, visit, scan)
    return lesion_rows(person, visit)


def _write_structural(
    root: Path, truth: Path, design: StudyDesign, person: SyntheticPatient, visit: Visit, rng: np.random.Generator
) -> None:
    grid = scan_grid(design.flair_voxel_size_mm, design.field_of_view_mm, tilt_deg=0.0, centre_mm=design.centre_mm)
    images, lesions = structural_images(
        person,
        time_y=visit.time_y,
        grid=grid,
        pose=visit.pose,
        noise=design.noise if design.structural_noise is None else design.structural_noise,
        subvoxel_mm=design.subvoxel_mm,
        blank_air=design.blank_air,
        rng=rng,
    )
    for contrast, image in images.items():
        side = {"Manufacturer": visit.scanner.manufacturer, "MagneticFieldStrength": visit.scanner.b0_tesla}
        if contrast == "ce-gadolinium_T1w":
            side |= {"ContrastBolusIngredient": "GADOLINIUM"}
        path = root / visit.folder / "anat" / f"{visit.label}_{contrast}.nii.gz"
        save_volume(path, np.round(image * design.magnitude_levels).astype(np.uint16), grid, sidecar=side)
    write_flair_lesions(truth, visit, lesions, grid)


def _write_echoes(root: Path, visit: Visit, scan: GradientEcho, levels: int) -> None:
    scanner = visit.scanner
    scale = levels / float(np.abs(scan.signal[0]).max())
    for echo, time in enumerate(scanner.echo_times_s(scan.signal.shape[0])):
        side = {
            "Manufacturer": scanner.manufacturer,
            "ManufacturersModelName": scanner.model,
            "MagneticFieldStrength": scanner.b0_tesla,
            "ImagingFrequency": scanner.imaging_frequency_hz * 1e-6,
            "EchoTime": time,
            "EchoNumber": echo + 1,
            "RepetitionTimeExcitation": scanner.repetition_time_s,
            "FlipAngle": scanner.flip_angle_deg,
            "MRAcquisitionType": "3D",
        }
        stem = root / visit.folder / "anat" / f"{visit.label}_echo-{echo + 1}"
        magnitude = np.round(np.abs(scan.signal[echo]) * scale).astype(np.uint16)
        save_volume(stem.with_name(f"{stem.name}_part-mag_MEGRE.nii.gz"), magnitude, scan.grid, sidecar=side)
        phase = scanner.stored_phase(np.angle(scan.signal[echo]))
        side |= {"Units": "arbitrary"}
        save_volume(stem.with_name(f"{stem.name}_part-phase_MEGRE.nii.gz"), phase, scan.grid, sidecar=side)


def _as_recorded(design: StudyDesign) -> dict[str, Any]:
    """All settings; those that came later are said only where they are not what they were before."""
    fields = type(design).model_fields
    return design.model_dump(exclude={name for name in _LATER if getattr(design, name) == fields[name].default})


def _describe(root: Path, truth: Path, design: StudyDesign) -> None:
    made = {"Name": "napari-msqsm phantom", "Version": __version__}
    write_json(
        root / "dataset_description.json",
        {
            "Name": "Synthetic multiple-sclerosis study",
            "BIDSVersion": _BIDS_VERSION,
            "DatasetType": "raw",
            "License": "BSD-3-Clause",
            "GeneratedBy": [made | {"Description": json.dumps(_as_recorded(design))}],
        },
    )
    write_json(
        truth / "dataset_description.json",
        {
            "Name": "Truth of the synthetic study",
            "BIDSVersion": _BIDS_VERSION,
            "DatasetType": "derivative",
            "DatasetLinks": {"raw": "../.."},
            "GeneratedBy": [made],
        },
    )
    with atomic_path(truth / ".bidsignore") as temporary:
        temporary.write_text(
            "*_lesions.tsv\n*_desc-pose_xfm.json\n" + ("*_mode-image_xfm.json\n" * design.rescan), "utf-8"
        )
    with atomic_path(root / "README.md") as temporary:
        temporary.write_text(
            "# Synthetic multiple-sclerosis study\n\nNo person was scanned: heads made of shapes, two scanners, and "
            "lesions whose susceptibility follows doi 10.3174/ajnr.A6071. The truth is in `derivatives/truth`.\n\n"
            f"Made by `msqsm phantom` {__version__}; `GeneratedBy` in `dataset_description.json` holds all settings.\n"
            "The bundled sample study is made again by `msqsm phantom OUT --sample`.\n"
            + (_ABOUT_RESCANS * design.rescan),
            "utf-8",
        )
    if design.rescan:
        write_table(truth / "desc-tissues_dseg.tsv", tissue_names())
    write_json(
        root / "participants.json",
        {"sex": {"Description": "Sex", "Levels": {"F": "female", "M": "male"}}, "age": {"Units": "year"}},
    )
