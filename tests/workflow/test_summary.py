from __future__ import annotations

import math

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.model.study import Patient, Session, Study
from napari_msqsm.workflow.outcome import Outcome
from napari_msqsm.workflow.summary import as_table, summary_of

SHAPE = (12, 12, 12)
LABEL = "sub-01_ses-01"


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(array, np.eye(4)), path)
    return path


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path, (Patient("01", (Session("01", "01", None, ()),)),))


@pytest.fixture
def outcome(tmp_path):
    lesions = np.zeros(SHAPE, np.int16)
    lesions[2:5, 2:5, 2:5], lesions[7:10, 7:10, 7:10] = 1, 2
    truth = np.zeros(SHAPE, np.float32)
    truth[lesions == 1], truth[lesions == 2] = 0.040, 0.020
    folder = tmp_path / "derivatives" / "truth" / "sub-01" / "ses-01" / "anat"
    save(folder / f"{LABEL}_Chimap.nii.gz", truth)
    save(folder / f"{LABEL}_desc-lesions_dseg.nii.gz", lesions)
    chi = save(tmp_path / "chi.nii.gz", 0.5 * truth + 0.1)  # half the contrast, another zero
    mask = save(tmp_path / "mask.nii.gz", np.ones(SHAPE, np.uint8))
    quality = {"csf_mean_ppb": 0.0, "csf_sd_ppb": 3.21, "snr_combined": 181.6, "kept_fraction": 0.87}
    quality |= {"edge_energy_ratio": 0.5, "streak_index": math.nan}
    return Outcome(LABEL, {"Chimap": chi, "mask": mask}, quality=quality, seconds={"a": 1.0, "b": 2.5})


def test_lesions_are_compared_with_the_truth_whatever_the_zero_is(study, outcome):
    (row,) = summary_of(study, [outcome])
    assert [lesion.lesion for lesion in row.lesions] == [1, 2]
    assert row.seconds == 3.5
    for lesion in row.lesions:
        assert lesion.chi_ppb == pytest.approx(lesion.truth_ppb / 2, abs=1e-3)
    assert row.lesions[0].truth_ppb == pytest.approx(40 - 27 * 60 / 1728, abs=1e-3)


def test_the_table_has_a_row_per_session(study, outcome):
    table = as_table(summary_of(study, [outcome])).splitlines()
    titles = ["session", "CSF mean ± sd (ppb)", "SNR", "kept", "edge energy", "streaks", "χ noise (ppb)", "seconds"]
    assert table[0].split() == " ".join([*titles, "lesion 1", "lesion 2"]).split()
    assert table[1].startswith(LABEL)
    assert "0.0 ± 3.2" in table[1]
    assert "+20 (+39)" in table[1]
    assert table[1].split()[4:9] == ["182", "87%", "0.50", "–", "–"]


def test_without_truth_there_are_no_lesions(study, outcome, tmp_path):
    (tmp_path / "derivatives" / "truth" / "sub-01" / "ses-01" / "anat" / f"{LABEL}_Chimap.nii.gz").unlink()
    (row,) = summary_of(study, [outcome])
    assert row.lesions == ()
