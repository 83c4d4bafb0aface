from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.io.bids import open_study
from napari_msqsm.workflow.bring_in.susceptibility import ExistingMap, adopt_susceptibility
from napari_msqsm.workflow.opening import new_workspace
from napari_msqsm.workspace.status import SessionState

SHAPE = (10, 12, 8)
LABEL = "sub-01_ses-01"


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(array, np.diag([2.0, 2.0, 2.0, 1.0])), path)
    return path


@pytest.fixture
def study(tmp_path):
    """Study whose only session has a FLAIR and no gradient echoes."""
    root = tmp_path / "study"
    save(root / "sub-01" / "ses-01" / "anat" / f"{LABEL}_FLAIR.nii.gz", np.ones(SHAPE, np.float32))
    description = {"Name": "old maps", "BIDSVersion": "1.10.0", "DatasetType": "raw"}
    (root / "dataset_description.json").write_text(json.dumps(description), encoding="utf-8")
    return open_study(root)


@pytest.fixture
def chi_ppb():
    chi = np.random.default_rng(0).normal(0, 40, SHAPE).astype(np.float32)
    chi[:2] = 0
    return chi


def test_a_session_without_echoes_is_done_with_an_existing_map(study, chi_ppb, tmp_path):
    theirs = save(tmp_path / "elsewhere" / "qsm.nii.gz", chi_ppb)
    work = new_workspace()
    work.open(study.root)
    assert work.status(LABEL).state is SessionState.INCOMPLETE
    outcome = adopt_susceptibility(study, study.session(LABEL), ExistingMap(theirs, "ppb"))
    np.testing.assert_allclose(np.asarray(nib.load(outcome.chimap).dataobj), chi_ppb / 1000, atol=1e-6)
    text = outcome.chimap.with_name(f"{LABEL}_Chimap.json").read_text(encoding="utf-8")
    assert json.loads(text)["InputFiles"][0]["URI"] == "qsm.nii.gz"
    assert str(tmp_path) not in text
    work.refresh()
    assert work.status(LABEL).state is SessionState.DONE


def test_a_map_that_is_there_stays_unless_told(study, chi_ppb, tmp_path):
    theirs = save(tmp_path / "elsewhere" / "qsm.nii.gz", chi_ppb)
    first = adopt_susceptibility(study, study.session(LABEL), ExistingMap(theirs, "ppb"))
    before = first.chimap.read_bytes()
    other = ExistingMap(save(tmp_path / "elsewhere" / "other.nii.gz", 0.5 * chi_ppb), "ppb")
    there = open_study(study.root)
    with pytest.raises(InputError, match="has a susceptibility map already; --overwrite"):
        adopt_susceptibility(there, there.session(LABEL), other)
    assert first.chimap.read_bytes() == before
    replaced = adopt_susceptibility(there, there.session(LABEL), other, overwrite=True)
    np.testing.assert_allclose(np.asarray(nib.load(replaced.chimap).dataobj), chi_ppb / 2000, atol=1e-6)


def test_a_map_in_the_wrong_unit_is_refused_and_nothing_is_written(study, chi_ppb, tmp_path):
    theirs = save(tmp_path / "elsewhere" / "qsm.nii.gz", chi_ppb)
    with pytest.raises(InputError, match="ppb"):
        adopt_susceptibility(study, study.session(LABEL), ExistingMap(theirs, "ppm"))
    assert not study.derivatives_root.exists()
