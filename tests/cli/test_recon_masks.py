"""Masks that were found, written and given back, as they are or edited."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.qsm.presets import PRESETS


def image(path):
    return np.asarray(nib.load(path).dataobj)


@pytest.fixture
def with_fluid(acquisition):
    """Put a ventricle beside the core: signal that does not decay."""
    x, y, z = np.meshgrid(*(np.arange(n) - n / 2 + 0.5 for n in (24, 26, 22)), indexing="ij", sparse=True)
    fluid = (x / 3) ** 2 + ((y - 4.5) / 2) ** 2 + (z / 4) ** 2 < 1
    for path, time in zip(acquisition.magnitude, (0.005, 0.010, 0.015, 0.020), strict=True):
        loaded = nib.load(path)
        still = np.where(fluid, 600 * np.exp(-1.5 * time), np.asarray(loaded.dataobj))
        nib.save(nib.Nifti1Image(still.astype(np.float32), loaded.affine), path)
    return fluid


@pytest.mark.parametrize("preset", list(PRESETS))
def test_masks_given_back_make_the_same_map(msqsm, acquisition, with_fluid, tmp_path, preset):
    common = ("recon", *acquisition.arguments, "--preset", preset)
    common += ("--set", "csf_mask.least_depth_mm=3", "--set", "brain_mask.opening_radius_mm=2")
    first, second = tmp_path / "first", tmp_path / "second"
    assert msqsm(*common, "--out", first).code == 0
    csf = image(first / "csf_mask.nii.gz") > 0
    assert (csf & with_fluid).sum() > 0.5 * with_fluid.sum()
    given = ("--mask", first / "brain_mask.nii.gz", "--csf-mask", first / "csf_mask.nii.gz")
    assert msqsm(*common, *given, "--out", second).code == 0
    for name in ("mask", "brain_mask", "csf_mask", "totalfield", "localfield", "R2starmap", "Chimap"):
        np.testing.assert_array_equal(image(first / f"{name}.nii.gz"), image(second / f"{name}.nii.gz"), err_msg=name)


def test_the_brain_mask_is_the_one_used_and_the_mask_where_there_is_a_map(msqsm, acquisition, tmp_path):
    """The published preset gives up a rim."""
    out = tmp_path / "out"
    arguments = (*acquisition.arguments, "--mask", acquisition.mask, "--preset", "published")
    assert msqsm("recon", *arguments, "--out", out).code == 0
    given, brain, mask = (
        image(path) > 0 for path in (acquisition.mask, out / "brain_mask.nii.gz", out / "mask.nii.gz")
    )
    np.testing.assert_array_equal(brain, given)
    np.testing.assert_array_equal(mask & ~brain, False)
    assert 0.2 * brain.sum() < mask.sum() < 0.95 * brain.sum()
    np.testing.assert_array_equal(image(out / "Chimap.nii.gz")[~mask], 0.0)
    np.testing.assert_array_equal(image(out / "totalfield.nii.gz")[~brain], 0.0)


def test_any_region_can_be_the_zero(msqsm, acquisition, tmp_path):
    loaded = nib.load(acquisition.mask)
    region = np.zeros(loaded.shape, np.uint8)
    region[10:14, 11:15, 9:13] = 1
    path = tmp_path / "region.nii.gz"
    nib.save(nib.Nifti1Image(region, loaded.affine), path)
    common = ("recon", *acquisition.arguments, "--preset", "fast", "--mask", acquisition.mask)
    assert msqsm(*common, "--reference-mask", path, "--out", tmp_path / "out").code == 0
    assert image(tmp_path / "out" / "Chimap.nii.gz")[region > 0].mean() == pytest.approx(0, abs=1e-6)


def test_an_edited_csf_mask_moves_the_zero(msqsm, acquisition, with_fluid, tmp_path):
    common = ("recon", *acquisition.arguments, "--preset", "fast", "--mask", acquisition.mask)
    path = tmp_path / "edited.nii.gz"
    nib.save(nib.Nifti1Image(with_fluid.astype(np.uint8), nib.load(acquisition.mask).affine), path)
    ran = msqsm(*common, "--csf-mask", path, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    out = tmp_path / "out"
    np.testing.assert_array_equal(image(out / "csf_mask.nii.gz") > 0, with_fluid)
    inside = with_fluid & (image(acquisition.mask) > 0)
    assert abs(image(out / "Chimap.nii.gz")[inside].mean()) < 1e-6
