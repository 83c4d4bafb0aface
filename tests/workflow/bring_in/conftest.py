"""A study of two patients whose gradient echoes, FLAIR and T1w have grids of their own, and maps of its brains."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from napari_msqsm.io.bids import open_study
from napari_msqsm.io.tables import write_table

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.model.study import Session, Study

SHAPE = (30, 34, 28)
VOXEL_MM = 3.0
ECHO_TIMES_S = (0.005, 0.010, 0.015)
AFFINE = np.diag((-VOXEL_MM, VOXEL_MM, VOXEL_MM, 1.0))
FLAIR_SHAPE = (20, 22, 18)
FLAIR_AFFINE = np.diag((4.0, 4.0, 4.0, 1.0))
T1W_SHAPE = (24, 26, 20)


def save(path, array, affine=AFFINE):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(array, affine), path)
    return path


@dataclass(frozen=True)
class Head:
    """One head on the grid of its gradient echoes: χ in ppm, R2* in 1/s, brain, nuclei, ventricles, magnitudes."""

    chi_ppm: np.ndarray[Any, Any]
    brain: np.ndarray[Any, Any]
    nuclei: np.ndarray[Any, Any]
    ventricles: np.ndarray[Any, Any]
    magnitude: np.ndarray[Any, Any]


def make_head() -> Head:
    axes = np.stack(np.meshgrid(*(VOXEL_MM * (np.arange(n) - n / 2 + 0.5) for n in SHAPE), indexing="ij"))
    brain = np.sqrt((axes**2).sum(axis=0)) < 41
    nuclei = np.zeros(SHAPE, bool)
    for side in (-10.0, 10.0):
        nuclei |= np.sqrt((axes[0] - side) ** 2 + (axes[1] - 3) ** 2 + axes[2] ** 2) < 7
    ventricles = (np.abs(axes[0]) < 3) & (np.abs(axes[1] + 9) < 8) & (np.abs(axes[2] - 3) < 6)
    rng = np.random.default_rng(5)
    chi = np.where(brain, rng.normal(0, 0.02, SHAPE) + 0.10 * nuclei, 0).astype(np.float32)
    r2star = np.where(nuclei, 45.0, np.where(ventricles, 3.0, 18.0))
    shading = 1 + 0.004 * axes[0] + 0.002 * axes[2]  # left and right, head and foot are told by it
    base = np.where(brain, 1000.0 * shading, 5.0)
    magnitude = np.stack([base * np.exp(-r2star * time) for time in ECHO_TIMES_S]).astype(np.float32)
    return Head(chi, brain, nuclei, ventricles, magnitude)


@pytest.fixture(scope="session")
def head() -> Head:
    return make_head()


@dataclass(frozen=True)
class Lab:
    """A study on disk and a folder for what a laboratory has."""

    root: Path
    theirs: Path

    @property
    def study(self) -> Study:
        return open_study(self.root)

    def session(self, label: str) -> Session:
        return self.study.session(label)


@pytest.fixture
def lab(tmp_path, head) -> Lab:
    root = tmp_path / "study"
    description = {"Name": "lab", "BIDSVersion": "1.10.0", "DatasetType": "raw"}
    root.mkdir()
    (root / "dataset_description.json").write_text(json.dumps(description), encoding="utf-8")
    write_table(root / "participants.tsv", pd.DataFrame({"participant_id": ["sub-01", "sub-02"], "sex": ["F", None]}))
    ramp = np.linspace(-1, 1, SHAPE[0])[:, None, None] * np.ones(SHAPE)
    for patient, sessions in (("01", ("01", "02")), ("02", ("01",))):
        for session in sessions:
            stem = f"sub-{patient}_ses-{session}"
            folder = root / f"sub-{patient}" / f"ses-{session}" / "anat"
            for echo, time_s in enumerate(ECHO_TIMES_S):
                phase = np.angle(np.exp(2j * np.pi * time_s * 60 * ramp)).astype(np.float32)
                for part, values in (("mag", head.magnitude[echo]), ("phase", phase)):
                    path = save(folder / f"{stem}_echo-{echo + 1}_part-{part}_MEGRE.nii.gz", values)
                    sidecar = {"EchoTime": time_s, "MagneticFieldStrength": 3.0, "Manufacturer": "Siemens"}
                    sidecar["Units"] = "rad" if part == "phase" else "arbitrary"
                    text = json.dumps(sidecar)
                    path.with_name(path.name.replace(".nii.gz", ".json")).write_text(text, encoding="utf-8")
            save(folder / f"{stem}_FLAIR.nii.gz", np.ones(FLAIR_SHAPE, np.float32), FLAIR_AFFINE)
            save(folder / f"{stem}_T1w.nii.gz", np.ones(T1W_SHAPE, np.float32), FLAIR_AFFINE)
        rows = {"session_id": [f"ses-{session}" for session in sessions]}
        rows["acq_time"] = ["2019-03-04T10:00:00", "2020-05-06T11:30:00"][: len(sessions)]
        write_table(root / f"sub-{patient}" / f"sub-{patient}_sessions.tsv", pd.DataFrame(rows))
    return Lab(root, tmp_path / "theirs")


@pytest.fixture
def save_theirs():
    return save
