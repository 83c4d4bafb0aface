"""A small patient on disk: three sessions with a gradient echo and a FLAIR each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.io.bids import open_study
from napari_msqsm.io.nifti import save_volume
from napari_msqsm.model.grid import Grid
from napari_msqsm.workflow.drawing.places import Places

if TYPE_CHECKING:
    from pathlib import Path

GRE = Grid((9, 8, 5), np.diag([0.75, 0.75, 3.0, 1.0]))
FLAIR = Grid((8, 9, 7), np.array([[-1, 0, 0, 4], [0, 0.98, -0.17, 1], [0, 0.17, 0.98, -2], [0, 0, 0, 1.0]]))
SESSIONS = ("sub-01_ses-01", "sub-01_ses-02", "sub-01_ses-03")


def make_patient(root: Path) -> None:
    """Write the study."""
    for number, label in enumerate(SESSIONS, start=1):
        anat = root.joinpath(*label.split("_")) / "anat"
        anat.mkdir(parents=True)
        for name, grid in ((f"{label}_echo-1_part-mag_MEGRE", GRE), (f"{label}_FLAIR", FLAIR)):
            image = np.arange(np.prod(grid.shape), dtype=np.float32).reshape(grid.shape) + number
            nib.save(nib.Nifti1Image(image, grid.affine), anat / f"{name}.nii.gz")
    (root / "dataset_description.json").write_text('{"Name": "test", "BIDSVersion": "1.10.0"}', "utf-8")


@pytest.fixture
def study(tmp_path):
    make_patient(tmp_path / "study")
    return open_study(tmp_path / "study")


@pytest.fixture
def places(study) -> Places:
    return Places(study.derivatives_root, "01")


@pytest.fixture
def put(places):
    """Write a label image or a table as another program would."""

    def write(what, content, grid=None, dtype=np.int32):
        if isinstance(content, str):
            what.parent.mkdir(parents=True, exist_ok=True)
            what.write_text(content, "utf-8")
            return what
        path = places.plane(what)
        own = FLAIR if what.kind == "flair" else GRE
        save_volume(path, np.asarray(content).astype(dtype), grid or own)
        return path

    return write


def blocks(shape, *labels):
    """Labels in columns of two voxels each."""
    out = np.zeros(shape, np.uint16)
    for number, label in enumerate(labels):
        out[2 * number : 2 * number + 2, 1:3, 1:3] = label
    return out
