from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_msqsm.qsm.r2star import R2starSettings, fit_r2star

EQUAL = tuple(0.0067 + 0.0041 * i for i in range(8))
UNEQUAL = (0.004, 0.007, 0.015, 0.021)
SHAPE = (5, 4, 3)
RATE = np.random.default_rng(0).uniform(2, 90, SHAPE)
MASK = np.random.default_rng(1).random(SHAPE) < 0.7


def decay(times, rate=RATE, scale=100.0):
    return scale * np.exp(-np.array(times)[:, None, None, None] * rate)


@pytest.mark.parametrize(("times", "rtol"), [(EQUAL, 1e-3), (EQUAL[:3], 1e-3), (UNEQUAL, 1e-9), (EQUAL[:2], 1e-9)])
def test_exponentials(times, rtol):
    found = fit_r2star(decay(times), echo_times_s=times, mask=MASK)
    np.testing.assert_allclose(found[MASK], RATE[MASK], rtol=rtol)
    assert not found[~MASK].any()


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(1e-4, 1e4), rate=st.floats(0.5, 200))
def test_scale_has_no_say(scale, rate):
    one = np.ones((1, 1, 1))
    for times in (EQUAL, UNEQUAL):
        found = fit_r2star(decay(times, rate * one, scale), echo_times_s=times, mask=one > 0)
        assert found[0, 0, 0] == pytest.approx(rate, rel=0.02)


def test_between_zero_and_the_cap():
    growing, fast = decay(EQUAL, np.full(SHAPE, -40.0)), decay(EQUAL, np.full(SHAPE, 900.0))
    everywhere = np.ones(SHAPE, bool)
    assert not fit_r2star(growing, echo_times_s=EQUAL, mask=everywhere).any()
    capped = fit_r2star(fast, echo_times_s=EQUAL, mask=everywhere, settings=R2starSettings(max_r2star_hz=80))
    assert (capped == 80).all()


@pytest.mark.parametrize("times", [EQUAL, UNEQUAL])
def test_no_signal_is_zero(times):
    found = fit_r2star(0 * decay(times), echo_times_s=times, mask=np.ones(SHAPE, bool))
    assert not found.any()


def test_single_echo_is_zero():
    assert not fit_r2star(decay((0.01,)), echo_times_s=(0.01,), mask=MASK).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("times", [EQUAL, UNEQUAL, (0.01,)])
def test_every_array_library(xp_case, dtype, times):
    found = fit_r2star(xp_case.asarray(decay(times), dtype), echo_times_s=times, mask=xp_case.asarray(MASK))
    xp_case.check(found, dtype, SHAPE)
    wanted = fit_r2star(decay(times), echo_times_s=times, mask=MASK)
    np.testing.assert_allclose(xp_case.numpy(found), wanted, rtol=1e-3, atol=1e-3)
