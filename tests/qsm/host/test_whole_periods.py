from __future__ import annotations

import numpy as np

from napari_msqsm.qsm.host.whole_periods import congruent, with_turns

PERIOD = 10.0
RNG = np.random.default_rng(0)


def two_parts():
    mask = np.ones((9, 4, 3), bool)
    mask[4] = False
    return mask, np.arange(9)[:, None, None]


def test_each_part_comes_to_the_multiple_nearest_zero():
    mask, x = two_parts()
    field = RNG.uniform(-1, 1, mask.shape)
    out = with_turns(field, np.where(x < 4, 7, -3) * np.ones(mask.shape), period_hz=PERIOD, mask=mask)
    np.testing.assert_allclose(out, np.where(mask, field, 0), atol=1e-12)


def test_differences_within_a_part_stay():
    mask = np.ones((5, 5, 5), bool)
    turns = RNG.integers(-3, 4, mask.shape).astype(float)
    out = with_turns(np.zeros(mask.shape), turns, period_hz=PERIOD, mask=mask)
    np.testing.assert_allclose(out / PERIOD - turns, -np.round(np.median(turns)))


def test_congruent_to_a_field_known_up_to_a_constant_per_part():
    mask, x = two_parts()
    true = np.where(x < 4, 12.0 * (x - 1.5), -9.0 * (x - 6.5)) + RNG.uniform(-0.5, 0.5, mask.shape)
    wrapped = true - PERIOD * np.round(true / PERIOD)
    smooth = true + np.where(x < 4, 3.3, 104.9) + RNG.uniform(-2, 2, mask.shape)
    out = congruent(wrapped, smooth, period_hz=PERIOD, mask=mask)
    np.testing.assert_allclose(out, np.where(mask, true, 0), atol=1e-9)


def test_empty_mask():
    nothing = np.zeros((3, 3, 3), bool)
    for out in (
        with_turns(np.ones((3, 3, 3)), np.ones((3, 3, 3)), period_hz=PERIOD, mask=nothing),
        congruent(np.ones((3, 3, 3)), np.ones((3, 3, 3)), period_hz=PERIOD, mask=nothing),
    ):
        assert not out.any()
