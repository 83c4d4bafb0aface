"""What every inversion without MEDI's extras must hold to, method by method."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.inversion.closed_form_l2 import ClosedFormL2Settings
from napari_msqsm.qsm.inversion.ilsqr import IlsqrSettings
from napari_msqsm.qsm.inversion.methods import METHODS
from napari_msqsm.qsm.inversion.rts import RtsSettings
from napari_msqsm.qsm.inversion.tv_admm import TvSettings
from napari_msqsm.qsm.method import run_method

SHAPE, VOXEL, HZ = (21, 18, 15), (3.0, 3.0, 3.5), 127.7
Z, OBLIQUE = (0.0, 0.0, 1.0), (0.0, 0.5, np.sqrt(0.75))
QUICK = (
    ClosedFormL2Settings(margin_mm=10.0),
    IlsqrSettings(margin_mm=10.0),
    TvSettings(margin_mm=10.0, max_iter=12),
    RtsSettings(margin_mm=10.0, max_iter=12),
)
"""Laws hold on a narrow grid and at any iteration."""
EACH = [pytest.param(settings, id=settings.method) for settings in QUICK]
DEFAULT = [pytest.param(type(settings)(), id=settings.method) for settings in QUICK]
SCALES_WITH_THE_FIELD = [EACH[0], EACH[1]]
ITERATIVE = [
    pytest.param(IlsqrSettings(cg_max_iter=1), id="ilsqr"),
    pytest.param(TvSettings(max_iter=1), id="tv"),
    pytest.param(RtsSettings(max_iter=1), id="rts"),
]


def inverted(settings, field_hz, mask, b0=Z, **changes):
    keywords = {"noise_sd_hz": None, "voxel_size_mm": VOXEL, "b0_direction": b0, "hz_per_ppm": HZ} | changes
    return run_method(METHODS[type(settings)], field_hz, mask=mask, settings=settings, **keywords)


@pytest.fixture(scope="module")
def scene(axes_mm, field_ppm):
    """A ball of 0.3 ppm beside a smaller one of -0.2 ppm in an ellipsoid that is not symmetric about anything."""
    x, y, z = axes_mm(SHAPE, VOXEL)
    mask = ((x - 1) / 27) ** 2 + ((y + 2) / 22) ** 2 + (z / 22) ** 2 < 1
    chi = 0.3 * (x**2 + y**2 + z**2 < 8**2) - 0.2 * ((x - 14) ** 2 + (y - 5) ** 2 + (z + 5) ** 2 < 5**2)
    return mask, {b0: HZ * field_ppm(chi, VOXEL, b0) for b0 in (Z, OBLIQUE)}


@pytest.mark.parametrize("b0", [Z, OBLIQUE], ids=["along z", "oblique"])
@pytest.mark.parametrize(
    ("settings", "tolerance"),
    [(ClosedFormL2Settings(), 0.1), (IlsqrSettings(), 0.05), (TvSettings(), 0.03), (RtsSettings(), 0.05)],
    ids=["l2", "ilsqr", "tv", "rts"],
)
def test_sphere_has_its_sign_unit_and_scale(axes_mm, sphere_field_of_voxels_ppm, settings, tolerance, b0):
    shape = (35, 32, 27)
    r2 = sum(a**2 for a in axes_mm(shape, VOXEL))
    mask = r2 < 28**2
    out = inverted(settings, HZ * sphere_field_of_voxels_ppm(shape, VOXEL, 9.0, 0.3, b0), mask, b0)
    away = mask & (r2 > 14**2)
    assert out.chi_ppm[r2 < 7**2].mean() - out.chi_ppm[away].mean() == pytest.approx(0.3, rel=tolerance)
    assert out.chi_ppm[away].std() < 0.02
    assert out.converged
    assert not out.chi_ppm[~mask].any()
    np.testing.assert_array_equal(out.mask, mask)


@pytest.mark.parametrize("settings", DEFAULT)
def test_cylinder_across_b0(axes_mm, settings):
    """Infinite along x: -χ/6 inside, χ/2 (R/r)² cos 2φ outside, φ from B0; seen far from where the mask ends."""
    shape, radius = (50, 27, 25), 6.0
    x, y, z = axes_mm(shape, (2.0, 2.0, 2.0))
    r2 = np.broadcast_to(y**2 + z**2, shape)
    beyond = np.where(r2 > radius**2, r2, np.inf)
    field = np.where(r2 <= radius**2, -0.2 / 6, 0.2 / 2 * radius**2 / beyond * (z**2 - y**2) / beyond)
    mask = r2 < 22**2
    out = inverted(settings, HZ * field, mask, voxel_size_mm=(2.0, 2.0, 2.0))
    middle = np.broadcast_to(np.abs(x) < 10, shape)
    contrast = out.chi_ppm[middle & (r2 < 4**2)].mean() - out.chi_ppm[middle & mask & (r2 > 11**2)].mean()
    assert contrast == pytest.approx(0.2, rel=0.25 if settings.method == "ilsqr" else 0.15)


@pytest.mark.parametrize("settings", SCALES_WITH_THE_FIELD)
def test_linear_in_the_scale_of_the_field(scene, settings):
    mask, fields = scene
    plain = inverted(settings, fields[OBLIQUE], mask, OBLIQUE).chi_ppm
    scaled = inverted(settings, -1000 * fields[OBLIQUE], mask, OBLIQUE).chi_ppm
    np.testing.assert_allclose(scaled, -1000 * plain, atol=1e-8)


@pytest.mark.parametrize("settings", EACH)
def test_sign_of_the_field_is_the_sign_of_the_map(scene, settings):
    mask, fields = scene
    plain = inverted(settings, fields[Z], mask).chi_ppm
    np.testing.assert_allclose(inverted(settings, -fields[Z], mask).chi_ppm, -plain, atol=1e-11)


@pytest.mark.parametrize("settings", EACH)
def test_same_map_at_any_field_strength(scene, settings):
    mask, fields = scene
    plain = inverted(settings, fields[OBLIQUE], mask, OBLIQUE)
    other = inverted(settings, fields[OBLIQUE] * 7 / 3, mask, OBLIQUE, hz_per_ppm=HZ * 7 / 3)
    np.testing.assert_allclose(other.chi_ppm, plain.chi_ppm, atol=1e-11)
    assert len(other.outer_changes) == len(plain.outer_changes)


@pytest.mark.parametrize("settings", EACH)
def test_outside_of_the_mask_has_no_say(scene, settings):
    mask, fields = scene
    plain = inverted(settings, fields[Z], mask).chi_ppm
    np.testing.assert_array_equal(inverted(settings, np.where(mask, fields[Z], np.nan), mask).chi_ppm, plain)


@pytest.mark.parametrize("axes", [(1, 2, 0), (2, 1, 0)])
@pytest.mark.parametrize("settings", EACH)
def test_same_map_for_permuted_axes(scene, settings, axes):
    mask, fields = scene
    plain = inverted(settings, fields[OBLIQUE], mask, OBLIQUE).chi_ppm
    turned = inverted(
        settings,
        np.transpose(fields[OBLIQUE], axes),
        np.transpose(mask, axes),
        tuple(OBLIQUE[a] for a in axes),
        voxel_size_mm=tuple(VOXEL[a] for a in axes),
    ).chi_ppm
    np.testing.assert_allclose(turned, np.transpose(plain, axes), atol=1e-9)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("settings", EACH)
def test_same_map_for_a_mirrored_axis(scene, settings, axis):
    mask, fields = scene
    plain = inverted(settings, fields[OBLIQUE], mask, OBLIQUE).chi_ppm
    b0 = tuple(-b if a == axis else b for a, b in enumerate(OBLIQUE))
    turned = inverted(settings, np.flip(fields[OBLIQUE], axis), np.flip(mask, axis), b0).chi_ppm
    np.testing.assert_allclose(turned, np.flip(plain, axis), atol=1e-9)


@pytest.mark.parametrize("settings", EACH)
def test_a_field_of_zero_is_a_map_of_zero(scene, settings):
    mask, _ = scene
    out = inverted(settings, np.zeros(SHAPE), mask)
    assert not out.chi_ppm.any()
    assert out.converged


@pytest.mark.parametrize("settings", EACH)
def test_empty_mask_is_refused(scene, settings):
    mask, fields = scene
    with pytest.raises(InputError, match="mask is empty"):
        inverted(settings, fields[Z], np.zeros_like(mask))


@pytest.mark.parametrize("settings", ITERATIVE)
def test_stopping_early_is_reported(scene, settings):
    mask, fields = scene
    out = inverted(settings, fields[Z], mask)
    assert not out.converged
    assert out.outer_changes
    assert inverted(type(settings)(margin_mm=10.0), fields[Z], mask).converged


@pytest.mark.parametrize("settings", EACH[1:])
def test_progress_grows_and_may_stop_it(scene, settings):
    mask, fields = scene
    seen = []
    inverted(settings, fields[Z], mask, on_progress=seen.append)
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] <= 1

    def stop(fraction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        inverted(settings, fields[Z], mask, on_progress=stop)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("settings", EACH)
def test_every_array_library(xp_case, scene, settings, dtype):
    mask, fields = scene
    noise = np.where(mask, 0.3, 0.0)
    out = inverted(
        settings,
        xp_case.asarray(fields[OBLIQUE], dtype),
        xp_case.asarray(mask),
        OBLIQUE,
        noise_sd_hz=xp_case.asarray(noise, dtype),
    )
    xp_case.check(out.chi_ppm, dtype, SHAPE)
    xp_case.check(out.mask, "bool", SHAPE)
    wanted = inverted(settings, fields[OBLIQUE], mask, OBLIQUE, noise_sd_hz=noise).chi_ppm
    error = np.linalg.norm(xp_case.numpy(out.chi_ppm) - wanted) / np.linalg.norm(wanted)
    assert error < (1e-9 if dtype == "float64" else 1e-3)
