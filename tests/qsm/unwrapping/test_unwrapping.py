"""What every unwrapping must do, each on every array library."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_msqsm.qsm.method import run_method
from napari_msqsm.qsm.unwrapping.laplacian import LaplacianSettings, laplacian
from napari_msqsm.qsm.unwrapping.methods import METHODS
from napari_msqsm.qsm.unwrapping.path import path
from napari_msqsm.qsm.unwrapping.quality import QualitySettings, quality

PERIOD = 240.0
ALL = pytest.mark.parametrize("method", list(METHODS.values()), ids=lambda method: method.__name__)


def wrap(field):
    return field - PERIOD * np.round(field / PERIOD)


def unwrapped(method, field, mask, **known):
    return run_method(method, wrap(field), period_hz=PERIOD, mask=mask, **known).field_hz


def smooth_head(axes_mm, shape=(27, 24, 21)):
    x, y, z = axes_mm(shape, (1, 1, 1))
    mask = (x / 12) ** 2 + (y / 11) ** 2 + (z / 9) ** 2 < 1
    field = 750 * np.exp(-((x - 8) ** 2 + y**2 + z**2) / 60.0) + 25 * z - 100
    return field, mask


@ALL
@settings(max_examples=10, deadline=None)
@given(
    shape=st.tuples(*[st.integers(3, 13)] * 3),
    slope=st.tuples(*[st.floats(-100, 100)] * 3),
    offset=st.floats(-100, 100),
)
def test_ramps_over_many_periods(method, shape, slope, offset):
    axes = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in shape), indexing="ij")
    field = offset + sum(a * s for a, s in zip(axes, slope, strict=True))
    error = unwrapped(method, field, np.ones(shape, bool)) - field
    assert np.abs(error).max() < 1e-6  # the median of the ramp is nearest to zero as it is


@ALL
@pytest.mark.parametrize("shape", [(27, 24, 21), (26, 23, 20)])
def test_exact_up_to_the_edge_of_a_head(method, axes_mm, shape):
    field, mask = smooth_head(axes_mm, shape)
    out = unwrapped(method, field, mask)
    np.testing.assert_allclose(out, np.where(mask, field, 0), atol=1e-6)


@ALL
def test_flips_and_axes_have_no_say(method, axes_mm):
    field, mask = smooth_head(axes_mm)
    plain = unwrapped(method, field, mask)
    turned = unwrapped(method, field.transpose(2, 0, 1)[::-1], mask.transpose(2, 0, 1)[::-1])
    np.testing.assert_allclose(turned[::-1].transpose(1, 2, 0), plain, atol=1e-6)


@ALL
def test_nan_is_outside(method, axes_mm):
    field, mask = smooth_head(axes_mm)
    holes = mask & (np.random.default_rng(0).random(mask.shape) < 0.1)
    out = unwrapped(method, np.where(holes, np.nan, field), mask)
    np.testing.assert_array_equal(out, unwrapped(method, field, mask & ~holes))
    assert not out[holes].any()
    nothing = unwrapped(method, np.full(mask.shape, np.nan), mask)
    np.testing.assert_array_equal(nothing, np.zeros(mask.shape))


@ALL
def test_parts_that_do_not_touch_are_settled_one_by_one(method):
    mask = np.ones((21, 5, 5), bool)
    mask[10] = False
    field = np.zeros(mask.shape)
    field[:10] = 50 + 90 * np.arange(10)[:, None, None] - 400
    field[11:] = -30 + 110 * (np.arange(10)[:, None, None] - 5)
    out = unwrapped(method, field, mask)
    for part in (slice(0, 10), slice(11, None)):
        assert np.ptp((out - field)[part]) < 1e-6
        assert abs(np.median(out[part])) <= PERIOD / 2 + 1e-6


@ALL
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_changes_by_whole_periods_only_and_repeats(method, dtype, xp_case):
    rng = np.random.default_rng(0)
    mask = rng.random((9, 8, 7)) < 0.8
    field = np.where(mask, rng.uniform(-PERIOD / 2, PERIOD / 2, mask.shape), 0).astype(dtype)
    arrays = xp_case.asarray(field), xp_case.asarray(mask)
    first, again = (run_method(method, arrays[0], period_hz=PERIOD, mask=arrays[1]).field_hz for _ in range(2))
    xp_case.check(first, dtype, field.shape)
    np.testing.assert_array_equal(xp_case.numpy(first), xp_case.numpy(again))
    turns = (xp_case.numpy(first) - field)[mask] / PERIOD
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-5)
    assert not xp_case.numpy(first)[~mask].any()


@ALL
@pytest.mark.parametrize("shape", [(1, 9, 8), (9, 8, 1), (1, 1, 9), (1, 1, 1)])
def test_a_single_slice(method, shape):
    axes = np.meshgrid(*map(np.arange, shape), indexing="ij")
    field = sum(axes) * 70.0
    out = unwrapped(method, field, np.ones(shape, bool))
    assert np.ptp(out - field) < 1e-6


def bridge():
    """Two halves that touch over a wall of noise with one good bridge, at which the field is the true one."""
    x, y, z = np.meshgrid(*map(np.arange, (24, 15, 9)), indexing="ij")
    field = 65.0 * (x - 11.5) + 0.0 * y * z
    bad = (np.abs(x - 12) < 2) & (y != 7)
    field[bad] += np.random.default_rng(1).uniform(-PERIOD, PERIOD, field.shape)[bad]
    return field, bad, np.ones(field.shape, bool)


def test_known_noise_leads_around_bad_voxels():
    field, bad, mask = bridge()
    noise = np.where(bad, 70.0, 1.0)
    residual = np.where(bad, 0.7, 0.02)
    for known in ({"noise_sd_hz": noise}, {"fit_residual": residual}, {"magnitude": np.where(bad, 0.2, 1.0)}):
        error = (unwrapped(quality, field, mask, **known) - field)[~bad]
        assert np.abs(error).max() < 1e-6, known.keys()
    only = quality(
        wrap(field),
        period_hz=PERIOD,
        mask=mask,
        magnitude=np.where(bad, 0.2, 1.0),
        settings=QualitySettings(magnitude_weight=False),
    ).field_hz
    np.testing.assert_array_equal(only, unwrapped(quality, field, mask))


def test_unknown_noise_and_no_signal_are_the_worst():
    field, bad, mask = bridge()
    known = {"noise_sd_hz": np.where(bad, 0.0, 1.0), "magnitude": np.where(bad, 0.0, 1.0)}
    assert np.abs((unwrapped(quality, field, mask, **known) - field)[~bad]).max() < 1e-6
    spoilt = {name: np.where(bad, np.nan, values) for name, values in known.items()}
    assert np.abs((unwrapped(quality, field, mask, **spoilt) - field)[~bad]).max() < 1e-6


def test_quality_on_every_array_library(xp_case, axes_mm):
    field, mask = smooth_head(axes_mm)
    given = {name: xp_case.asarray(np.ones(mask.shape, np.float32)) for name in ("magnitude", "noise_sd_hz")}
    wrapped = xp_case.asarray(wrap(field), "float32")
    out = quality(wrapped, period_hz=PERIOD, mask=xp_case.asarray(mask), **given).field_hz
    xp_case.check(out, "float32", mask.shape)
    np.testing.assert_allclose(xp_case.numpy(out), np.where(mask, field, 0), atol=1e-2)


def test_laplacian_reports_progress_and_says_that_it_stopped_early(axes_mm):
    field, mask = smooth_head(axes_mm)
    seen = []
    whole = laplacian(wrap(field), period_hz=PERIOD, mask=mask, on_progress=seen.append)
    assert whole.warnings == ()
    assert seen == sorted(seen)
    assert 2 < len(seen) < 60  # the Fourier solution preconditions it
    rough = laplacian(wrap(field), period_hz=PERIOD, mask=mask, settings=LaplacianSettings(cg_max_iter=1))
    assert "did not converge in 1 iterations" in rough.warnings[0]
    turns = (rough.field_hz - wrap(field))[mask] / PERIOD
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-9)  # however rough, the measured phase stays


def test_inputs_are_named_as_everywhere():
    for method in (path, quality, laplacian):
        names = list(inspect.signature(method).parameters)
        assert names[0] == "wrapped_field_hz"
        assert set(names) <= {
            "wrapped_field_hz", "period_hz", "mask", "magnitude", "noise_sd_hz", "fit_residual", "settings",
            "on_progress",
        }  # fmt: skip
