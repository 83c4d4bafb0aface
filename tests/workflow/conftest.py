"""A patient scanned twice, with maps whose regions have known means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from napari_msqsm.io.tables import write_table
from napari_msqsm.model.study import Patient, Session, Study

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = (12, 12, 12)


def save_image(path, array, affine=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(array, np.eye(4) if affine is None else affine), path)
    return path


@dataclass
class Rescans:
    """A study on disk: two patients, one scan and one rescan each."""

    study: Study
    maps: Path
    truth: Path

    def put(self, session, *, white_ppb, lesion_ppb, csf_ppb, truth_ppb=None, offset_ppb=0.0, affine=None):
        """Write a map with these means, its masks and its regions, each scan in its own place."""
        shift = 1 if session.session_id.endswith("rescan") else 0
        tissues, lesions = np.zeros((2, *SHAPE), np.uint8)
        tissues[1 + shift : 7 + shift, 2:10, 2:10] = 8
        tissues[8 + shift : 10 + shift, 2:10, 2:10] = 12
        lesions[2 + shift : 5 + shift, 3:6, 3:6] = 3
        lesions[2 + shift : 3 + shift, 8, 8] = 4  # one voxel: too small
        chi = white_ppb * (tissues == 8) + csf_ppb * (tissues == 12)
        chi[lesions == 3] = lesion_ppb
        mask = tissues > 0
        home = self.maps / session.label.replace("_", "/") / "anat"
        save_image(
            home / f"{session.label}_Chimap.nii.gz", ((chi + offset_ppb) * mask / 1e3).astype(np.float32), affine
        )
        save_image(home / f"{session.label}_desc-brain_mask.nii.gz", mask.astype(np.uint8), affine)
        save_image(home / f"{session.label}_desc-csf_mask.nii.gz", (tissues == 12).astype(np.uint8), affine)
        home = self.truth / session.label.replace("_", "/") / "anat"
        save_image(home / f"{session.label}_desc-tissues_dseg.nii.gz", tissues)
        save_image(home / f"{session.label}_desc-lesions_dseg.nii.gz", lesions)
        if truth_ppb is not None:
            true = truth_ppb * (lesions == 3) / 1e3
            save_image(home / f"{session.label}_Chimap.nii.gz", true.astype(np.float32))


@pytest.fixture
def rescans(tmp_path) -> Rescans:
    patients = []
    for patient in ("01", "02"):
        first = Session(patient, "01", None, ())
        second = Session(patient, "01rescan", None, (), covariates={"rescan_of": "ses-01"})
        patients.append(Patient(patient, (first, second)))
    truth = tmp_path / "derivatives" / "truth"
    truth.mkdir(parents=True)
    names = pd.DataFrame({"index": [8, 12], "name": ["white matter", "ventricle"], "group": ["white matter", "fluid"]})
    write_table(truth / "desc-tissues_dseg.tsv", names)
    return Rescans(Study(tmp_path, tuple(patients)), tmp_path / "derivatives" / "maps", truth)
