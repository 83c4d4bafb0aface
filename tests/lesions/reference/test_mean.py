"""Robust mean, and a standard error that knows of correlated noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_msqsm.lesions.reference.mean import robust_mean

VOXEL_MM = (0.75, 0.75, 3.0)


def ring(outer_mm=10.0, inner_mm=6.0):
    x, y, z = np.ogrid[-16:17, -16:17, -5:6]
    r = np.sqrt((x * 0.75) ** 2 + (y * 0.75) ** 2 + (z * 3.0) ** 2)
    return (r > inner_mm) & (r <= outer_mm)


def field(rng, blur_mm):
    noise = rng.standard_normal((33, 33, 11))
    if blur_mm:
        noise = ndimage.gaussian_filter(noise, [blur_mm / step for step in VOXEL_MM], mode="wrap")
    return 6.0 * noise / noise.std()


@pytest.mark.parametrize("blur_mm", [0.0, 0.5, 1.0, 2.0])
def test_standard_error_is_the_spread_of_the_mean_over_realisations(blur_mm):
    rng, where = np.random.default_rng(4), ring()
    at = np.array(np.nonzero(where))
    found = [robust_mean(-30.0 + field(rng, blur_mm)[where], at, VOXEL_MM) for _ in range(150)]
    spread = float(np.std([one.mean_ppb for one in found]))
    assert np.sqrt(np.mean([one.se_ppb**2 for one in found])) == pytest.approx(spread, rel=0.3)
    assert np.mean([one.mean_ppb for one in found]) == pytest.approx(-30.0, abs=4 * spread / np.sqrt(150))
    assert np.mean([one.sd_ppb for one in found]) == pytest.approx(6.0, rel=0.15)
    if blur_mm >= 1:  # as if all voxels had noise of their own, it would be less than half of that
        naive = 6.0 / np.sqrt(found[0].n_voxels)
        assert spread > 2 * naive
        assert found[0].n_effective < 0.25 * found[0].n_voxels


def test_efficiency_for_gaussian_noise():
    rng, at = np.random.default_rng(1), np.array(np.nonzero(np.ones((10, 10, 4))))
    values = rng.standard_normal((400, at.shape[1]))
    robust = np.var([robust_mean(one, at, VOXEL_MM).mean_ppb for one in values])
    assert np.var(values.mean(axis=1)) / robust > 0.9


def test_veins_do_not_count():
    rng, where = np.random.default_rng(2), ring()
    values, at = -30.0 + field(rng, 0.5)[where], np.array(np.nonzero(where))
    clean = robust_mean(values, at, VOXEL_MM)
    dirty = values.copy()
    dirty[::20] = 250.0
    found = robust_mean(dirty, at, VOXEL_MM)
    assert found.mean_ppb == pytest.approx(clean.mean_ppb, abs=0.25 * clean.se_ppb + 0.05)
    assert dirty.mean() - values.mean() > 10
    assert found.n_voxels == values.size


def test_shift_scale_and_order_of_voxels():
    rng, where = np.random.default_rng(3), ring()
    values, at = field(rng, 1.0)[where], np.array(np.nonzero(where))
    first = robust_mean(values, at, VOXEL_MM)
    moved = robust_mean(2.0 * values + 50.0, at, VOXEL_MM)
    assert moved.mean_ppb == pytest.approx(2 * first.mean_ppb + 50)
    assert (moved.se_ppb, moved.sd_ppb) == pytest.approx((2 * first.se_ppb, 2 * first.sd_ppb))
    order = rng.permutation(values.size)
    mixed = robust_mean(values[order], at[::-1, order] + 7, VOXEL_MM[::-1])
    assert (mixed.mean_ppb, mixed.se_ppb) == pytest.approx((first.mean_ppb, first.se_ppb))


def test_what_cannot_be_measured():
    at = np.array(np.nonzero(np.ones((5, 5, 1))))
    values = np.full(25, np.nan)
    values[:5] = 1.0
    found = robust_mean(values, at, VOXEL_MM)
    assert found.missing
    assert (found.mean_ppb, found.se_ppb, found.n_voxels) == (None, None, 5)
    values[:] = 3.0
    values[0] = np.nan
    flat = robust_mean(values, at, VOXEL_MM)
    assert (flat.mean_ppb, flat.se_ppb, flat.n_voxels) == (3.0, 0.0, 24)
