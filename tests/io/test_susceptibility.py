"""Susceptibility maps of other programs: unit, sign, reference."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import MetadataError, ShapeMismatchError
from napari_msqsm.io.susceptibility import load_susceptibility

SHAPE = (16, 16, 16)


@pytest.fixture
def brain():
    """Map in ppm, zero outside the brain; the brain, its iron-rich nuclei and its ventricles."""
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in SHAPE], indexing="ij"))
    mask = (grid**2).sum(axis=0) < 0.9
    nuclei = mask & (np.abs(grid[0]) > 0.3) & (np.abs(grid[1]) < 0.3) & (np.abs(grid[2]) < 0.3)
    ventricles = mask & (np.abs(grid) < 0.2).all(axis=0)
    chi = np.random.default_rng(0).normal(0.0, 0.03, SHAPE)
    chi[nuclei] += 0.12
    chi[ventricles] += 0.02
    return np.where(mask, chi, 0.0).astype(np.float32), mask, nuclei, ventricles


@pytest.mark.parametrize(("unit", "factor"), [("ppm", 1.0), ("ppb", 1000.0)])
def test_values_become_ppm(tmp_path, write_nifti, brain, unit, factor):
    chi, mask, _, _ = brain
    found = load_susceptibility(write_nifti(tmp_path / "c.nii.gz", chi * np.float32(factor)), unit=unit)
    np.testing.assert_allclose(found.chi_ppm, chi, rtol=1e-5)
    assert found.chi_ppm.dtype == np.float32
    assert np.array_equal(found.mask, mask)
    assert found.grid.voxel_size_mm == (1.0, 1.5, 2.0)
    assert any("reference" in text for text in found.assumptions)
    assert any("sign was not checked" in text for text in found.assumptions)


@pytest.mark.parametrize(("unit", "factor", "other"), [("ppm", 1000.0, "ppb"), ("ppb", 1.0, "ppm")])
def test_wrong_unit_is_refused(tmp_path, write_nifti, refused, brain, unit, factor, other):
    path = write_nifti(tmp_path / "c.nii", brain[0] * np.float32(factor))
    with refused(path, unit, f"is it in {other}", error=MetadataError):
        load_susceptibility(path, unit=unit)


def test_map_in_radians_or_hertz_is_refused(tmp_path, write_nifti, refused, brain):
    path = write_nifti(tmp_path / "c.nii", brain[0] * np.float32(1e-4))
    with refused(path, "ppm", error=MetadataError):
        load_susceptibility(path, unit="ppm")


def test_sign_is_confirmed_by_iron(tmp_path, write_nifti, refused, brain):
    chi, _, nuclei, _ = brain
    path = write_nifti(tmp_path / "c.nii", chi)
    found = load_susceptibility(path, unit="ppm", paramagnetic_mask=nuclei)
    assert any("sign is confirmed" in text for text in found.assumptions)
    write_nifti(path, -chi)
    with refused(path, "opposite sign", error=MetadataError):
        load_susceptibility(path, unit="ppm", paramagnetic_mask=nuclei)


def test_sign_that_cannot_be_told_is_said(tmp_path, write_nifti, brain):
    noise = np.random.default_rng(1).normal(0, 0.05, SHAPE).astype(np.float32)
    found = load_susceptibility(write_nifti(tmp_path / "c.nii", noise), unit="ppm", paramagnetic_mask=brain[2])
    assert any("could not be told" in text for text in found.assumptions)


def test_reference_region_has_zero_mean(tmp_path, write_nifti, brain):
    chi, mask, _, ventricles = brain
    path = write_nifti(tmp_path / "c.nii", chi + np.float32(0.07) * mask)
    found = load_susceptibility(path, unit="ppm", reference_mask=ventricles)
    assert float(found.chi_ppm[ventricles].mean(dtype=float)) == pytest.approx(0, abs=1e-6)
    assert (found.chi_ppm[~mask] == 0).all()
    shift = 1000 * (chi[ventricles].mean(dtype=float) + 0.07)
    assert any(f"{shift:+.1f} ppb" in text for text in found.assumptions)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_outside_marked_by_nan(tmp_path, write_nifti, brain, bad):
    chi, mask, _, _ = brain
    found = load_susceptibility(write_nifti(tmp_path / "c.nii", np.where(mask, chi, np.float32(bad))), unit="ppm")
    assert np.array_equal(found.mask, mask)
    np.testing.assert_array_equal(found.chi_ppm, chi)


def test_given_mask_sets_what_is_inside(tmp_path, write_nifti, brain):
    chi, mask, _, ventricles = brain
    chi[8, 8, 8] = 0.0
    inner = mask & ~ventricles
    inner[8, 8, 8] = True
    found = load_susceptibility(write_nifti(tmp_path / "c.nii", chi), unit="ppm", mask=inner)
    assert np.array_equal(found.mask, inner)
    assert (found.chi_ppm[~inner] == 0).all()


def test_masks_of_another_shape_are_refused(tmp_path, write_nifti, refused, brain):
    path = write_nifti(tmp_path / "c.nii", brain[0])
    for name in ("mask", "reference_mask", "paramagnetic_mask"):
        with refused(path, "(4, 4, 4)", error=ShapeMismatchError):
            load_susceptibility(path, unit="ppm", **{name: np.ones((4, 4, 4), bool)})


def test_reference_outside_the_map_is_refused(tmp_path, write_nifti, refused, brain):
    chi, mask, _, _ = brain
    path = write_nifti(tmp_path / "c.nii", chi)
    with refused(path, "reference region"):
        load_susceptibility(path, unit="ppm", reference_mask=~mask)


def test_empty_map_is_refused(tmp_path, write_nifti, refused):
    path = write_nifti(tmp_path / "c.nii", np.zeros(SHAPE, np.float32))
    with refused(path, "zero everywhere"):
        load_susceptibility(path, unit="ppm")


def test_map_whose_background_is_a_constant_is_not_all_brain(tmp_path, write_nifti, brain):
    """Re-referenced maps keep an offset outside the brain: it is the background, not tissue."""
    chi, mask, _, _ = brain
    found = load_susceptibility(write_nifti(tmp_path / "c.nii", chi - np.float32(0.031)), unit="ppm")
    assert np.array_equal(found.mask, mask)


def test_published_empty_map_is_refused(shared_data, refused):
    path = shared_data / "real" / "qmri_qsm" / "derivatives" / "qMRLab" / "sub-01" / "anat" / "sub-01_Chimap.nii.gz"
    with refused(path.name, "empty"):
        load_susceptibility(path, unit="ppm")


def test_reference_phantom(shared_data):
    found = load_susceptibility(shared_data / "phantom" / "chi_ppm.nii.gz", unit="ppm")
    assert 0.02 < float(np.quantile(np.abs(found.chi_ppm[found.mask]), 0.99)) < 1
