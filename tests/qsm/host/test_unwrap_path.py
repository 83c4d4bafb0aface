from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_msqsm.qsm.host.unwrap_path import unwrap_field

PERIOD = 240.0


def wrap(field):
    return field - PERIOD * np.round(field / PERIOD)


def unwrapped(field, mask):
    return unwrap_field(wrap(field), period_hz=PERIOD, mask=mask)


@settings(max_examples=20, deadline=None)
@given(
    shape=st.tuples(*[st.integers(3, 14)] * 3),
    slope=st.tuples(*[st.floats(-100, 100)] * 3),
    offset=st.floats(-100, 100),
)
def test_ramps_over_many_periods(shape, slope, offset):
    axes = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in shape), indexing="ij")
    field = offset + sum(a * s for a, s in zip(axes, slope, strict=True))
    mask = np.ones(shape, bool)
    out = unwrapped(field, mask)
    error = out - field
    assert np.ptp(error) < 1e-6
    assert abs(error.flat[0]) < 1e-6  # the median of the ramp is nearest to zero as it is


def test_smooth_field_in_an_odd_brain(axes_mm):
    x, y, z = axes_mm((27, 24, 21), (1, 1, 1))
    mask = (x / 12) ** 2 + (y / 11) ** 2 + (z / 9) ** 2 < 1
    field = 700 * np.exp(-((x - 8) ** 2 + y**2 + z**2) / 60.0) + 20 * z - 100
    out = unwrapped(field, mask)
    np.testing.assert_allclose(out[mask], field[mask], atol=1e-6)
    assert not out[~mask].any()


def test_parts_that_do_not_touch_are_settled_one_by_one():
    mask = np.ones((21, 5, 5), bool)
    mask[10] = False
    field = np.zeros(mask.shape)
    field[:10] = 50 + 90 * np.arange(10)[:, None, None] - 400
    field[11:] = -30 + 110 * (np.arange(10)[:, None, None] - 5)
    out = unwrapped(field, mask)
    for part in (slice(0, 10), slice(11, None)):
        assert np.ptp((out - field)[part]) < 1e-6
        assert abs(np.median(out[part])) <= PERIOD / 2 + 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_changes_by_whole_periods_only(dtype):
    rng = np.random.default_rng(0)
    mask = rng.random((9, 8, 7)) < 0.8
    field = np.where(mask, rng.uniform(-PERIOD / 2, PERIOD / 2, mask.shape), 0).astype(dtype)
    before = field.copy()
    out = unwrap_field(field, period_hz=PERIOD, mask=mask)
    assert out.dtype == dtype
    assert np.isfinite(out).all()
    turns = (out - field)[mask] / PERIOD
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-5)
    np.testing.assert_array_equal(field, before)


def test_repeats_itself():
    rng = np.random.default_rng(0)
    field = rng.uniform(-120, 120, (12, 11, 10))
    mask = np.ones(field.shape, bool)
    first = unwrap_field(field, period_hz=PERIOD, mask=mask)
    np.testing.assert_array_equal(first, unwrap_field(field, period_hz=PERIOD, mask=mask))


@pytest.mark.parametrize("shape", [(1, 9, 8), (9, 8, 1), (1, 1, 9)])
def test_a_single_slice(shape):
    axes = np.meshgrid(*map(np.arange, shape), indexing="ij")
    field = sum(axes) * 70.0
    out = unwrapped(field, np.ones(shape, bool))
    assert np.ptp(out - field) < 1e-6
