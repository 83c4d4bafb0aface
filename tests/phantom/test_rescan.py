"""A scan repeated on the same day: what stays, what changes, and what is on record."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from napari_msqsm.io.bids import open_study
from napari_msqsm.io.gre import load_session_gre
from napari_msqsm.io.nifti import load_volume
from napari_msqsm.phantom.study import write_study


@pytest.fixture(scope="module")
def one_session(design):
    return design.model_copy(update={"n_sessions": 1})


@pytest.fixture(scope="module")
def study(one_session, tmp_path_factory):
    return open_study(write_study(tmp_path_factory.mktemp("rescan") / "study", _twice(one_session)))


def _twice(design):
    return design.model_copy(update={"rescan": True})


def _truth(study, session, suffix):
    folder = study.root / "derivatives/truth" / session.label.replace("_", "/")
    return load_volume(folder / "anat" / f"{session.label}_{suffix}.nii.gz")


def _transform(study, first, second):
    name = f"{second.label}_from-ses{first.session_id}_to-ses{second.session_id}_mode-image_xfm.json"
    path = study.root / "derivatives/truth" / second.label.replace("_", "/") / name
    return np.array(json.loads(path.read_text("utf-8"))["Matrix"])


def test_every_session_has_a_rescan_on_the_same_day_on_the_same_scanner(study):
    first, second = study.sessions
    assert [first.session_id, second.session_id] == ["01", "01rescan"]
    assert "rescan_of" not in first.covariates
    assert second.covariates["rescan_of"] == "ses-01"
    assert first.date.date() == second.date.date()
    assert first.date < second.date
    assert first.can_reconstruct
    assert second.can_reconstruct
    assert load_session_gre(first).echo_times_s == load_session_gre(second).echo_times_s
    ages = {session.session_id: session.covariates["age"] for session in study.sessions}
    assert ages["01"] == ages["01rescan"]


def test_first_scans_are_bit_for_bit_what_they_are_without_rescans(study, one_session, tmp_path):
    plain = write_study(tmp_path / "plain", one_session)
    names = sorted(path.relative_to(plain) for path in plain.rglob("*.nii.gz"))
    assert names
    for name in names:
        assert (plain / name).read_bytes() == (study.root / name).read_bytes(), name
    assert "rescan" not in (plain / "dataset_description.json").read_text("utf-8")
    assert "rescan" not in (plain / "sub-01" / "sub-01_sessions.tsv").read_text("utf-8")


def test_noise_pose_and_b0_in_voxel_axes_are_new(study):
    first, second = (load_session_gre(session) for session in study.sessions)
    assert first.grid.shape == second.grid.shape
    assert not first.grid.same_as(second.grid)
    turn_deg = np.degrees(np.arccos(np.clip(np.dot(first.b0_direction, second.b0_direction), -1, 1)))
    assert 0.1 < turn_deg < 5
    corner = slice(None), slice(None, 6), slice(None, 6), slice(-8, None)  # air in both
    one, other = first.magnitude[corner].ravel(), second.magnitude[corner].ravel()
    assert min(one.std(), other.std()) > 0
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.12


def test_truth_of_both_scans_is_the_same_head_in_its_own_pose(study):
    """The true χ of the rescan, carried to the first scan by the true transform, is that of the first scan."""
    first, second = study.sessions
    moved = _transform(study, first, second)
    assert not np.allclose(moved, np.eye(4), atol=1e-2)
    one, other = _truth(study, first, "Chimap"), _truth(study, second, "Chimap")
    index = np.linalg.inv(other.grid.affine) @ moved @ one.grid.affine
    carried = ndimage.affine_transform(other.array, index[:3, :3], index[:3, 3], order=1)
    inside = (_truth(study, first, "desc-tissues_dseg").array == 8) & (carried != 0)
    unmoved = np.corrcoef(one.array[inside], other.array[inside])[0, 1]
    assert np.corrcoef(one.array[inside], carried[inside])[0, 1] > max(0.8, unmoved + 0.2)
    lesions, lesions_again = (_truth(study, session, "desc-lesions_dseg") for session in (first, second))
    numbers = np.unique(lesions.array[lesions.array > 0])
    assert len(numbers) == 3
    for number in numbers:
        centre = lesions.grid.affine @ [*ndimage.center_of_mass(lesions.array == number), 1]
        again = lesions_again.grid.affine @ [*ndimage.center_of_mass(lesions_again.array == number), 1]
        assert np.linalg.norm((moved @ centre - again)[:3]) < 2.5  # half a voxel


def test_lesions_of_the_rescan_are_in_the_table_and_have_not_aged(study):
    table = pd.read_csv(study.root / "derivatives/truth/sub-01/sub-01_lesions.tsv", sep="\t")
    first, second = (table[table["session_id"] == name].reset_index(drop=True) for name in ("ses-01", "ses-01rescan"))
    columns = [name for name in table.columns if name != "session_id"]
    pd.testing.assert_frame_equal(first[columns], second[columns])


def test_same_seed_writes_the_same_rescan(study, one_session, tmp_path):
    again = write_study(tmp_path / "again", _twice(one_session))
    name = "sub-01/ses-01rescan/anat/sub-01_ses-01rescan_echo-1_part-phase_MEGRE.nii.gz"
    one, other = (np.asarray(nib.load(root / name).dataobj) for root in (study.root, again))
    np.testing.assert_array_equal(one, other)
