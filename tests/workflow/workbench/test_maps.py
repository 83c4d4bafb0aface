"""Images of a patient: what is read, what is kept, what does not belong any more."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from napari_msqsm.io.bids import open_study
from napari_msqsm.io.nifti import save_volume
from napari_msqsm.model.grid import Grid
from napari_msqsm.workflow.coregistration.maps import renew_maps
from napari_msqsm.workflow.coregistration.patient import CoregistrationSettings
from napari_msqsm.workflow.workbench.kept_images import KeptImages
from napari_msqsm.workflow.workbench.maps import PatientMaps

S1, S2, S3 = (f"sub-01_ses-0{number}" for number in (1, 2, 3))


@pytest.fixture
def maps(aligned_study):
    return PatientMaps(aligned_study, "01")


@pytest.fixture
def copy(aligned_study, tmp_path):
    shutil.copytree(aligned_study.root, tmp_path / "study")
    return open_study(tmp_path / "study")


def put_map(study, session, value_ppm):
    """A map that is the same everywhere inside a block."""
    anat = study.derivatives_root.joinpath(*session.split("_"), "anat")
    magnitude, grid = PatientMaps(study, "01").magnitude(session)
    mask = np.zeros(magnitude.shape, bool)
    mask[8:-8, 8:-8, 2:-2] = True
    chi = np.where(mask, np.float32(value_ppm), np.float32(0))
    save_volume(anat / f"{session}_Chimap.nii.gz", chi, grid)
    save_volume(anat / f"{session}_desc-brain_mask.nii.gz", mask, grid)


def test_order_of_sessions(maps):
    assert [each.label for each in maps.after(S1)] == [S2, S3]
    assert [each.label for each in maps.before(S3)] == [S1, S2]
    assert maps.after("sub-01_ses-09") == maps.before("sub-01_ses-09") == ()
    with pytest.raises(KeyError):
        maps.session("sub-01_ses-09")
    assert "no susceptibility map" in maps.lacks(S2)
    assert maps.map(S2) is None
    assert isinstance(maps.contrast_grid(S1, "FLAIR"), Grid)
    assert maps.contrast_grid(S1, "T2w") is None


def test_native_and_registered_map_of_a_session(copy):
    for session, value in ((S1, 0.01), (S2, 0.02)):
        put_map(copy, session, value)
    renew_maps(copy, copy.patients[0], CoregistrationSettings())
    maps = PatientMaps(copy, "01")
    assert maps.lacks(S1) == maps.lacks(S2) == ""
    for session, value in ((S1, 0.01), (S2, 0.02)):
        found = maps.map(session)
        assert np.all(found.chi_ppm[found.mask] == np.float32(value))
        assert np.allclose(found.registered_chi_ppm[found.registered_mask], value, atol=1e-4)
        assert found.registered_mask.shape == maps.grid.shape
    assert maps.map(S2) is maps.map(S2)
    assert maps.map(S3) is None
    assert maps.map(S1).transform.matrix == pytest.approx(np.eye(4))


def test_a_registered_map_that_was_made_from_another_one_is_not_shown(copy):
    for session in (S1, S2):
        put_map(copy, session, 0.02)
    renew_maps(copy, copy.patients[0], CoregistrationSettings())
    maps = PatientMaps(copy, "01")
    assert maps.map(S2).registered_chi_ppm is not None
    put_map(copy, S2, 0.03)
    assert maps.map(S2).chi_ppm.max() == np.float32(0.02)
    maps.forget()
    assert maps.map(S2).chi_ppm.max() == np.float32(0.03)
    assert maps.map(S2).registered_chi_ppm is None
    assert maps.map(S1).registered_chi_ppm is not None


def test_images_are_read_once_and_let_go_when_there_are_too_many():
    grid, read = Grid((10, 10, 10), np.eye(4)), []

    def load(name):
        def image():
            read.append(name)
            return np.zeros(grid.shape, np.float32), grid

        return image

    kept = KeptImages(most_bytes=8000)
    for name in ("a", "b", "a", "c", "a", "b"):
        kept.get((name, "FLAIR"), load(name))
    assert read == ["a", "b", "c", "b"]
    assert kept.n_bytes == 8000
    kept.clear()
    assert kept.n_bytes == 0
    small = KeptImages(most_bytes=10)
    small.get(("a", "FLAIR"), load("a"))
    assert small.n_bytes == 4000


def test_magnitude_and_contrasts_are_kept(maps):
    image, grid = maps.magnitude(S1)
    assert grid.same_as(maps.grid)
    assert maps.magnitude(S1)[0] is image
    assert maps.contrast(S1, "FLAIR")[0] is maps.contrast(S1, "FLAIR")[0]
    assert maps.contrast(S1, "T2w") is None
