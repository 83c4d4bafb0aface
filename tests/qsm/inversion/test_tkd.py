from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.inversion.tkd import TkdSettings, tkd

SHAPE, VOXEL = (35, 32, 27), (2.0, 2.0, 2.5)
Z, OBLIQUE = (0.0, 0.0, 1.0), (0.0, 0.5, np.sqrt(0.75))
HZ = 127.7


@pytest.fixture(scope="module")
def scene(axes_mm, sphere_field_of_voxels_ppm):
    axes = axes_mm(SHAPE, VOXEL)
    r2 = sum(a**2 for a in axes)
    return r2 < 28**2, r2, {b0: HZ * sphere_field_of_voxels_ppm(SHAPE, VOXEL, 9.0, 0.3, b0) for b0 in (Z, OBLIQUE)}


def inverted(field, mask, b0=Z, **changes):
    keywords = {"voxel_size_mm": VOXEL, "b0_direction": b0, "hz_per_ppm": HZ} | changes
    return tkd(field, mask=mask, **keywords)


@pytest.mark.parametrize("b0", [Z, OBLIQUE])
def test_sphere_has_its_sign_unit_and_scale(scene, b0):
    mask, r2, fields = scene
    out = inverted(fields[b0], mask, b0)
    inside, away = r2 < 7**2, mask & (r2 > 14**2)
    contrast = out.chi_ppm[inside].mean() - out.chi_ppm[away].mean()
    assert contrast == pytest.approx(0.3, rel=0.15)
    assert out.converged
    assert not out.chi_ppm[~mask].any()
    np.testing.assert_array_equal(out.mask, mask)


def test_linear_and_outside_of_the_mask_has_no_say(scene):
    mask, _, fields = scene
    plain = inverted(fields[Z], mask).chi_ppm
    other = inverted(np.where(mask, -3 * fields[Z], np.nan), mask).chi_ppm
    np.testing.assert_allclose(other, -3 * plain, atol=1e-10)
    np.testing.assert_allclose(inverted(fields[Z] * 2, mask, hz_per_ppm=2 * HZ).chi_ppm, plain, atol=1e-12)


def test_higher_threshold_amplifies_less_noise(scene):
    mask, *_ = scene
    noise = np.random.default_rng(0).standard_normal(SHAPE)
    spread = [inverted(noise, mask, settings=TkdSettings(threshold=t)).chi_ppm[mask].std() for t in (0.02, 0.05, 0.15)]
    assert spread[0] > 1.15 * spread[1] > 1.15**2 * spread[2]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_library(xp_case, scene, dtype):
    mask, _, fields = scene
    out = inverted(xp_case.asarray(fields[OBLIQUE], dtype), xp_case.asarray(mask), OBLIQUE)
    xp_case.check(out.chi_ppm, dtype, SHAPE)
    np.testing.assert_allclose(xp_case.numpy(out.chi_ppm), inverted(fields[OBLIQUE], mask, OBLIQUE).chi_ppm, atol=1e-5)
