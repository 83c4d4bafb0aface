"""Means over regions: interpolation must not fake biology."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import ShapeMismatchError
from napari_msqsm.lesions.carry import CarriedRoi
from napari_msqsm.lesions.roi_mean import RoiMean, RoiMeasurement, measure_roi, roi_mean
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.resampling.resample import resample
from napari_msqsm.model.transform import AffineTransform

IDENTITY = AffineTransform.identity()
NOISE_PPM = 0.006
BIAS_PPB, MAE_PPB = 0.7, 1.2


def measured(one, interpolation, rng=None):
    """Baseline value, and native and registered value of the unchanged lesion at the follow-up, ppb."""
    maps = [visit.chi_ppm for visit in (one.baseline, one.followup)]
    if rng is not None:
        maps = [chi + NOISE_PPM * rng.standard_normal(chi.shape).astype(np.float32) for chi in maps]
    before, after = maps
    everywhere, grid, followup = np.ones(before.shape, bool), one.baseline.grid, one.followup
    registered = resample(after, followup.grid, grid, one.transform, interpolation=interpolation, outside=np.nan)
    first = measure_roi(one.roi, grid, chi_ppm=before, mask=everywhere, chi_grid=grid, transform=IDENTITY)
    then = measure_roi(
        one.roi,
        grid,
        chi_ppm=after,
        mask=everywhere,
        chi_grid=followup.grid,
        transform=one.transform,
        registered_chi_ppm=registered,
        registered_mask=np.isfinite(registered),
    )
    return first.native.mean_ppb, then.native.mean_ppb, then.registered.mean_ppb


def errors(lesions, *, rim, interpolation="lanczos", rng=None):
    values = np.array([measured(one, interpolation, rng) for one in lesions if one.rim is rim])
    return values[:, 1:] - values[:, :1]


@pytest.mark.parametrize("rim", [True, False])
@pytest.mark.parametrize("noisy", [False, True])
def test_a_lesion_that_does_not_change_stays_what_it_was(lesions, rim, noisy):
    found = errors(lesions, rim=rim, rng=np.random.default_rng(2) if noisy else None)
    assert np.all(np.abs(found.mean(axis=0)) < BIAS_PPB), found.mean(axis=0)
    assert np.all(np.abs(found).mean(axis=0) < MAE_PPB), np.abs(found).mean(axis=0)


def test_linear_interpolation_would_have_faked_a_fall(lesions):
    assert errors(lesions, rim=True, interpolation="linear")[:, 1].mean() < -1.5


def test_mean_median_and_spread_by_hand():
    grid = Grid((4, 1, 1), np.diag([1.0, 2.0, 3.0, 1.0]))
    weights = np.array([1.0, 1.0, 0.5, 0.0], np.float32).reshape(4, 1, 1)
    chi = np.array([0.010, 0.020, 0.040, 9.0]).reshape(4, 1, 1)
    found = roi_mean(chi, np.ones(grid.shape, bool), CarriedRoi(weights, grid, 2.5 * 6.0))
    mean = (10 + 20 + 40 / 4) / 2.25
    assert found.mean_ppb == pytest.approx(mean)
    assert found.sd_ppb == pytest.approx(np.sqrt(((10 - mean) ** 2 + (20 - mean) ** 2 + (40 - mean) ** 2 / 4) / 2.25))
    assert found.median_ppb == pytest.approx(10 + 10 * (1.125 - 0.5) / (1.5 - 0.5))
    assert found.covered_fraction == pytest.approx(1.0)
    assert found.n_voxels == pytest.approx(2.5)
    assert not found.missing


def test_voxels_outside_the_mask_never_enter():
    grid = Grid((20, 1, 1), np.eye(4))
    weights = np.ones(grid.shape, np.float32)
    chi = np.full(grid.shape, 0.030)
    mask = np.ones(grid.shape, bool)
    mask[0], chi[0] = False, 7.0
    mask[1], chi[1] = True, np.nan
    found = roi_mean(chi, mask, CarriedRoi(weights, grid, 20.0))
    assert found.mean_ppb == pytest.approx(30.0)
    assert found.covered_fraction == pytest.approx(0.9)
    mask[2] = False
    missing = roi_mean(chi, mask, CarriedRoi(weights, grid, 20.0))
    assert missing.missing
    assert (missing.median_ppb, missing.sd_ppb) == (None, None)
    assert missing.covered_fraction == pytest.approx(0.85)


def test_a_region_that_leaves_the_grid_is_missing():
    grid = Grid((10, 1, 1), np.eye(4))
    carried = CarriedRoi(np.ones(grid.shape, np.float32), grid, 12.0)
    assert roi_mean(np.ones(grid.shape), np.ones(grid.shape, bool), carried).missing
    empty = CarriedRoi(np.zeros(grid.shape, np.float32), grid, 0.0)
    assert roi_mean(np.ones(grid.shape), np.ones(grid.shape, bool), empty).covered_fraction == 0.0


def test_values_more_than_two_ppb_apart_are_flagged():
    def at(ppb):
        return RoiMean(ppb, ppb, 1.0, 1.0, 100.0)

    gone = RoiMean(None, None, None, 0.5, 50.0)
    assert not RoiMeasurement(at(30.0), at(28.1)).differ
    assert RoiMeasurement(at(30.0), at(27.9)).differ
    assert RoiMeasurement(at(30.0), at(32.1)).differ
    for pair in ((gone, at(1.0)), (at(1.0), gone), (at(1.0), None)):
        assert RoiMeasurement(*pair).apart_ppb is None
        assert not RoiMeasurement(*pair).differ


def test_refusals():
    grid = Grid((4, 1, 1), np.eye(4))
    carried = CarriedRoi(np.ones(grid.shape, np.float32), grid, 4.0)
    with pytest.raises(ShapeMismatchError, match="the map has shape"):
        roi_mean(np.ones((3, 1, 1)), np.ones((3, 1, 1), bool), carried)
    with pytest.raises(ShapeMismatchError, match="its mask has shape"):
        roi_mean(np.ones(grid.shape), np.ones((3, 1, 1), bool), carried)
