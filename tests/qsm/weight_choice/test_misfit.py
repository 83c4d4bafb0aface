from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.harmonic_filter import harmonic_filter
from napari_msqsm.qsm.weight_choice.misfit import filtered_variance, judge_of

SHAPE, VOXEL, HZ = (31, 28, 25), (2.0, 2.0, 3.0), 127.7
OBLIQUE = (0.0, 0.5, np.sqrt(0.75))


@pytest.fixture(scope="module")
def scene(axes_mm, field_ppm):
    x, y, z = axes_mm(SHAPE, VOXEL)
    mask = (x / 26) ** 2 + (y / 24) ** 2 + (z / 30) ** 2 < 1
    chi = 0.1 * (x**2 + y**2 + z**2 < 8**2) - 0.05 * ((x - 10) ** 2 + (y - 8) ** 2 + (z + 5) ** 2 < 6**2)
    noise = np.where(mask, 0.2 * (1.0 + 0.5 * np.sin(x / 5) * np.cos(z / 7)), 0.0)
    return mask, chi, HZ * field_ppm(chi, VOXEL, OBLIQUE), noise


def judge(field, mask, noise, radii_mm=(5.0,), hz=HZ):
    return judge_of(
        field,
        mask=mask,
        noise_sd_hz=noise,
        voxel_size_mm=VOXEL,
        b0_direction=OBLIQUE,
        hz_per_ppm=hz,
        radii_mm=radii_mm,
    )


@pytest.mark.parametrize("radii_mm", [(), (5.0,), (12.0, 8.0, 5.0)])
def test_truth_leaves_only_noise(scene, radii_mm):
    mask, chi, field, noise = scene
    rng = np.random.default_rng(0)
    noisy = field + noise * rng.standard_normal(SHAPE)
    assert judge(noisy, mask, noise, radii_mm).misfit(chi) == pytest.approx(1.0, abs=0.03)
    assert judge(noisy, mask, 2 * noise, radii_mm).misfit(chi) == pytest.approx(0.5, abs=0.02)
    assert judge(noisy, mask, noise, radii_mm).misfit(0 * chi) > 1.5
    assert judge(field, mask, noise, radii_mm).misfit(chi) < 0.05


def test_sources_outside_the_mask_have_little_say_after_the_filter(scene, sphere_field_ppm, axes_mm):
    mask, chi, field, noise = scene
    beyond = field + HZ * sphere_field_ppm(axes_mm(SHAPE, VOXEL), (0, 0, 45), 6, 1.0, OBLIQUE)
    plain, filtered = (judge(beyond, mask, noise, radii).misfit(chi) for radii in ((), (5.0,)))
    assert filtered < 0.1 * plain
    assert plain > 0.5


def test_field_strength_has_no_say(scene):
    mask, chi, field, noise = scene
    plain = judge(field, mask, noise).misfit(0.8 * chi)
    other = judge(field * 7 / 3, mask, noise * 7 / 3, hz=HZ * 7 / 3).misfit(0.8 * chi)
    assert other == pytest.approx(plain, rel=1e-9)


def test_voxels_without_a_field_are_left_out(scene):
    mask, chi, field, noise = scene
    hole = np.zeros(SHAPE, bool)
    hole[12:15, 12:15, 10:13] = True
    spoilt = np.where(hole, 1e6, field)
    found = judge(spoilt, mask, np.where(hole, 0.0, noise))
    assert found.misfit(chi) < 0.05
    assert found.voxels < judge(field, mask, noise).voxels


def test_variation_of_a_ramp_counts_pairs_in_the_mask_only(scene):
    mask, _, field, noise = scene
    ramp = np.where(mask, 0.01 * VOXEL[0] * np.arange(SHAPE[0])[:, None, None], 7.0)
    pairs = (mask[1:] & mask[:-1]).sum()
    found = judge(field, mask, noise).variation(ramp, mask)
    assert found == pytest.approx(0.01 * pairs / mask.sum(), rel=1e-9)


def test_variance_after_the_filter_is_that_of_many_noises(scene):
    mask, _, _, noise = scene
    harmonic = harmonic_filter(mask, VOXEL, radii_mm=(8.0, 5.0), neighbours_at_edge=True, like=noise)
    rng = np.random.default_rng(1)
    squares = sum(harmonic.apply(noise * rng.standard_normal(SHAPE)) ** 2 for _ in range(150)) / 150
    wanted = filtered_variance(harmonic, noise**2, mask)
    for region in harmonic.regions:
        assert squares[region].mean() == pytest.approx(wanted[region].mean(), rel=0.03)
    ratio = squares[harmonic.covered] / wanted[harmonic.covered]
    assert ratio.std() == pytest.approx(np.sqrt(2 / 150), rel=0.1)


def test_mask_without_an_inner_voxel_is_refused(scene):
    mask, _, field, noise = scene
    sheet = np.zeros_like(mask)
    sheet[:, :, 12] = mask[:, :, 12]
    with pytest.raises(InputError, match="no weight can be chosen"):
        judge(field, sheet, noise)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_library(xp_case, scene, dtype):
    mask, chi, field, noise = scene
    found = judge(xp_case.asarray(field, dtype), xp_case.asarray(mask), xp_case.asarray(noise, dtype))
    xp_case.check(found.field_ppm, dtype)
    xp_case.check(found.weights_per_ppm, dtype)
    wanted = judge(field, mask, noise)
    tolerance = 1e-9 if dtype == "float64" else 1e-4
    half = xp_case.asarray(0.5 * chi, dtype)
    assert found.misfit(half) == pytest.approx(wanted.misfit(0.5 * chi), rel=tolerance)
    assert found.variation(half, xp_case.asarray(mask)) == pytest.approx(wanted.variation(0.5 * chi, mask), rel=1e-5)
