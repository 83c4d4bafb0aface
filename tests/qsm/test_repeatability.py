from __future__ import annotations

import math

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.qsm.repeatability import repeatability

# Bland and Altman 1986, table 1: peak expiratory flow of 17 people, twice with the Wright meter (l/min).
WRIGHT_FIRST = (494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
WRIGHT_SECOND = (490, 397, 512, 401, 470, 611, 415, 431, 638, 429, 420, 633, 275, 492, 165, 372, 421)


def test_peak_flow_of_bland_and_altman():
    """The authors give 15.3 l/min as within-subject SD of the Wright meter, with the bias left in."""
    found = repeatability(WRIGHT_FIRST, WRIGHT_SECOND)
    rms = math.sqrt(np.mean(np.subtract(WRIGHT_SECOND, WRIGHT_FIRST) ** 2) / 2)
    assert rms == pytest.approx(15.3, abs=0.05)
    assert math.hypot(found.within_sd * math.sqrt(16 / 17), found.bias / math.sqrt(2)) == pytest.approx(rms)
    assert found.bias == pytest.approx(-84 / 17)
    assert found.coefficient == pytest.approx(1.96 * found.sd_difference)
    assert found.n == 17


def test_statistics_of_simulated_pairs_are_those_of_the_simulation():
    rng = np.random.default_rng(0)
    truth = rng.normal(20.0, 10.0, 4000)
    first, second = truth + rng.normal(0, 2.0, 4000), truth + 1.0 + rng.normal(0, 2.0, 4000)
    found = repeatability(first.tolist(), second.tolist())
    assert found.bias == pytest.approx(1.0, abs=0.15)
    assert found.within_sd == pytest.approx(2.0, rel=0.04)
    assert found.coefficient == pytest.approx(1.96 * math.sqrt(2) * 2.0, rel=0.04)
    assert found.mean == pytest.approx(20.5, abs=0.5)
    assert found.icc == pytest.approx(100 / (100 + 4 + 0.5), abs=0.01)


def test_swapped_measurements_turn_the_bias_and_leave_the_rest():
    one, other = repeatability(WRIGHT_FIRST, WRIGHT_SECOND), repeatability(WRIGHT_SECOND, WRIGHT_FIRST)
    assert one.bias == -other.bias
    assert (one.within_sd, one.coefficient, one.icc) == pytest.approx((other.within_sd, other.coefficient, other.icc))


def test_too_few_pairs_have_no_spread_and_no_correlation():
    one = repeatability([1.0], [3.0])
    assert one.bias == 2.0
    assert math.isnan(one.within_sd)
    assert math.isnan(repeatability([1.0, 2.0], [3.0, 5.0]).icc)
    assert repeatability([1.0, 2.0], [3.0, 5.0]).sd_difference == pytest.approx(math.sqrt(0.5))
    assert math.isnan(repeatability([1.0] * 3, [1.0] * 3).icc)


def test_what_is_not_pairs_is_refused():
    with pytest.raises(ParameterError, match="first has 2 values and second 1"):
        repeatability([1.0, 2.0], [1.0])
    with pytest.raises(ParameterError, match="at least one"):
        repeatability([], [])
    with pytest.raises(ParameterError, match="not finite"):
        repeatability([1.0, math.nan], [1.0, 2.0])
