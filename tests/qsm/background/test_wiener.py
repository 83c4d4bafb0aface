"""Wiener separation: the whole mask is kept, and slow local fields are told from the background."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.background.lbv import LbvSettings, lbv
from napari_msqsm.qsm.background.wiener import WienerSettings, wiener

SHAPE, VOXEL = (33, 36, 29), (3.0, 3.0, 3.5)
OBLIQUE = (0.0, 0.5, np.sqrt(0.75))
HZ_PER_PPM = 127.7


@pytest.fixture(scope="module")
def layered(axes_mm, field_ppm, sphere_field_ppm):
    """A brain of cortex, white matter and nuclei in an oblique field, beside two air spaces."""
    axes = axes_mm(SHAPE, VOXEL)
    size = sum((a / r) ** 2 for a, r in zip(axes, (31, 35, 32), strict=True))
    mask = size < 1
    rng = np.random.default_rng(3)
    fold = 0.35 * np.sin(axes[0] / 4) * np.cos(axes[1] / 4 + axes[2] / 5)
    white = mask & (size + fold < 0.55)
    nuclei = sum(((a - c) / 6) ** 2 for a, c in zip(axes, (9, 0, 4), strict=True)) < 1
    chi = np.where(nuclei, 0.1, np.where(white, -0.02, np.where(mask, 0.02, 0.0)))
    chi = np.where(mask, chi + 0.005 * rng.standard_normal(SHAPE), 0.0)
    magnitude = np.where(nuclei, 0.6, np.where(white, 0.8, 1.0)) * np.exp(axes[1] / 90)
    magnitude = 100 * magnitude * (1 + 0.02 * rng.standard_normal(SHAPE))
    local = field_ppm(chi, VOXEL, OBLIQUE)
    outside = sphere_field_ppm(axes, (5, 46, -14), 7, 9.0, OBLIQUE)
    outside = outside + sphere_field_ppm(axes, (-42, 0, 16), 6, -6.0, OBLIQUE)
    return mask, local, local + outside, magnitude


def separated(total_ppm, mask, *, noise_ppm=1e-3, scale=HZ_PER_PPM, voxel=VOXEL, b0=OBLIQUE, **more):
    noise = np.where(mask, noise_ppm * scale, 0.0)
    return wiener(
        total_ppm * scale, mask=mask, noise_sd_hz=noise, voxel_size_mm=voxel, b0_direction=b0, hz_per_ppm=scale, **more
    )


def error(found_hz, local_ppm, region):
    difference, truth = found_hz[region] / HZ_PER_PPM - local_ppm[region], local_ppm[region]
    return float(np.std(difference) / np.std(truth))


def test_the_whole_mask_is_kept_and_its_field_is_nearer_than_by_lbv(layered):
    mask, local, total, magnitude = layered
    out = separated(total, mask, magnitude=magnitude)
    assert out.converged
    np.testing.assert_array_equal(out.mask, mask)
    assert not out.field_hz[~mask].any()
    other = lbv(total * HZ_PER_PPM, mask=mask, voxel_size_mm=VOXEL, settings=LbvSettings(cg_rtol=1e-5))
    assert error(out.field_hz, local, other.mask) < 0.85 * error(other.field_hz, local, other.mask)
    assert error(out.field_hz, local, mask) < 0.5


def test_the_shape_of_tissue_tells_slow_fields_apart_and_a_useless_magnitude_does_little_harm(layered):
    mask, local, total, magnitude = layered
    blind = error(separated(total, mask).field_hz, local, mask)
    off = separated(total, mask, magnitude=magnitude, settings=WienerSettings(n_levels=0))
    assert error(off.field_hz, local, mask) == pytest.approx(blind)
    assert error(separated(total, mask, magnitude=magnitude).field_hz, local, mask) < 0.7 * blind
    shuffled = magnitude.copy()
    shuffled[mask] = np.random.default_rng(0).permutation(magnitude[mask])
    assert error(separated(total, mask, magnitude=shuffled).field_hz, local, mask) < 1.1 * blind
    flat = separated(total, mask, magnitude=np.ones(SHAPE))
    assert error(flat.field_hz, local, mask) == pytest.approx(blind)


def test_same_for_every_unit_and_orientation(layered):
    mask, _, total, magnitude = layered
    plain = separated(total, mask, magnitude=magnitude).field_hz
    milli = separated(total, mask, magnitude=7 * magnitude, scale=1e-3 * HZ_PER_PPM)
    np.testing.assert_allclose(1e3 * milli.field_hz, plain, atol=1e-4 * np.abs(plain).max())
    turn = (2, 0, 1)
    turned = separated(
        np.flip(np.transpose(total, turn), 1),
        np.flip(np.transpose(mask, turn), 1),
        magnitude=np.flip(np.transpose(magnitude, turn), 1),
        voxel=tuple(VOXEL[axis] for axis in turn),
        b0=tuple(sign * OBLIQUE[axis] for axis, sign in zip(turn, (1, -1, 1), strict=True)),
    )
    back = np.transpose(np.flip(turned.field_hz, 1), np.argsort(turn))
    assert np.std((back - plain)[mask]) < 0.03 * np.std(plain[mask])


def test_voxels_without_a_field_get_that_of_the_sources_inside(layered):
    mask, local, total, magnitude = layered
    hole = np.zeros_like(mask)
    hole[20:23, 17:20, 14:17] = True  # beside a nucleus
    noise = np.where(mask & ~hole, 1e-3 * HZ_PER_PPM, 0.0)
    spoilt = np.where(hole | ~mask, np.nan, total)
    out = wiener(
        spoilt * HZ_PER_PPM,
        mask=mask,
        noise_sd_hz=noise,
        magnitude=magnitude,
        voxel_size_mm=VOXEL,
        b0_direction=OBLIQUE,
        hz_per_ppm=HZ_PER_PPM,
    )
    assert out.mask[hole].all()
    whole = separated(total, mask, magnitude=magnitude).field_hz
    assert np.corrcoef(out.field_hz[hole], whole[hole])[0, 1] > 0.8
    assert error(out.field_hz, local, mask) < 0.5


def test_noisy_voxels_have_less_say(layered):
    mask, local, total, magnitude = layered
    rng = np.random.default_rng(4)
    bad = mask & (rng.random(SHAPE) < 0.1)
    spoilt = total + np.where(bad, 0.02 * rng.standard_normal(SHAPE), 0.0)
    known = np.where(bad, 0.02, 1e-3)
    good = mask & ~bad
    wrong = error(separated(spoilt, mask, magnitude=magnitude).field_hz, local, good)
    assert error(separated(spoilt, mask, magnitude=magnitude, noise_ppm=known).field_hz, local, good) < 0.9 * wrong


def test_needs_an_interior(layered):
    _, _, total, _ = layered
    thin = np.zeros(SHAPE, bool)
    thin[10:20, 10:20, 5] = True
    with pytest.raises(InputError, match="interior"):
        separated(total, thin)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_library_with_magnitude(xp_case, layered, dtype):
    mask, _, total, magnitude = layered
    part = (slice(6, 27), slice(6, 29), slice(6, 23))
    total, magnitude, small = HZ_PER_PPM * total[part], magnitude[part], mask[part].copy()
    small[0], small[-1] = False, False
    noise = 0.1 * small

    def run(make):
        return wiener(
            make(total, dtype),
            mask=make(small, None),
            noise_sd_hz=make(noise, dtype),
            magnitude=make(magnitude, dtype),
            voxel_size_mm=VOXEL,
            b0_direction=OBLIQUE,
            hz_per_ppm=HZ_PER_PPM,
        ).field_hz

    out = run(xp_case.asarray)
    xp_case.check(out, dtype, total.shape)
    wanted = run(lambda array, _: np.asarray(array, dtype=None if array.dtype == bool else "float64"))
    np.testing.assert_allclose(xp_case.numpy(out), wanted, atol=0.02 * np.abs(wanted).max())
