"""What every R2* method must do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_msqsm.qsm.r2star.methods import METHODS

EQUAL = tuple(0.0067 + 0.0041 * i for i in range(8))
UNEQUAL = (0.004, 0.007, 0.015, 0.021)
SHAPE = (5, 4, 3)
RATE = np.random.default_rng(0).uniform(2, 90, SHAPE)
MASK = np.random.default_rng(1).random(SHAPE) < 0.7

every_method = pytest.mark.parametrize("kind", METHODS)


def decay(times, rate=RATE, scale=100.0):
    return scale * np.exp(-np.array(times)[:, None, None, None] * rate)


@every_method
@pytest.mark.parametrize("times", [EQUAL, EQUAL[:3], UNEQUAL, EQUAL[:2]])
def test_exponentials(kind, times):
    found = METHODS[kind](decay(times), echo_times_s=times, mask=MASK)
    np.testing.assert_allclose(found[MASK], RATE[MASK], rtol=1e-3)
    assert not found[~MASK].any()


@every_method
@settings(max_examples=20, deadline=None)
@given(scale=st.floats(1e-4, 1e4), rate=st.floats(0.5, 200))
def test_scale_has_no_say(kind, scale, rate):
    one = np.ones((1, 1, 1))
    for times in (EQUAL, UNEQUAL):
        found = METHODS[kind](decay(times, rate * one, scale), echo_times_s=times, mask=one > 0)
        assert found[0, 0, 0] == pytest.approx(rate, rel=0.02)


@every_method
def test_between_zero_and_the_cap(kind):
    growing, fast = decay(EQUAL, np.full(SHAPE, -40.0)), decay(EQUAL, np.full(SHAPE, 400.0))
    everywhere = np.ones(SHAPE, bool)
    assert not METHODS[kind](growing, echo_times_s=EQUAL, mask=everywhere).any()
    capped = METHODS[kind](fast, echo_times_s=EQUAL, mask=everywhere, settings=kind(max_r2star_hz=80))
    assert (capped == 80).all()


@every_method
@pytest.mark.parametrize("times", [EQUAL, UNEQUAL, EQUAL[:1]])
def test_no_signal_is_zero(kind, times):
    signal = decay(times)
    signal[:, 0, 0, 0] = 0
    everywhere = np.ones(SHAPE, bool)
    assert METHODS[kind](signal, echo_times_s=times, mask=everywhere)[0, 0, 0] == 0
    assert not METHODS[kind](0 * signal, echo_times_s=times, mask=everywhere).any()


@every_method
def test_single_echo_and_empty_mask_are_zero(kind):
    assert not METHODS[kind](decay((0.01,)), echo_times_s=(0.01,), mask=MASK).any()
    assert not METHODS[kind](decay(EQUAL), echo_times_s=EQUAL, mask=np.zeros(SHAPE, bool)).any()


@every_method
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("times", [EQUAL, UNEQUAL, (0.01,)])
def test_every_array_library(xp_case, kind, dtype, times):
    found = METHODS[kind](xp_case.asarray(decay(times), dtype), echo_times_s=times, mask=xp_case.asarray(MASK))
    xp_case.check(found, dtype, SHAPE)
    wanted = METHODS[kind](decay(times), echo_times_s=times, mask=MASK)
    np.testing.assert_allclose(xp_case.numpy(found), wanted, rtol=1e-3, atol=1e-3)
