"""Choices on curves of known shape."""

from __future__ import annotations

import math

import pytest

from napari_msqsm.qsm.weight_choice.curve import Curve
from napari_msqsm.qsm.weight_choice.discrepancy import DiscrepancySettings, discrepancy
from napari_msqsm.qsm.weight_choice.l_curve import LCurveSettings, l_curve

N = 13
WEIGHTS = tuple(10.0 ** (0.25 * i) for i in range(N))


def curve(x, y):
    """Of functions of the place that give log misfit and log variation."""
    places = range(N)
    return Curve(WEIGHTS, tuple(math.exp(x(i)) for i in places), tuple(math.exp(y(i)) for i in places))


def test_curvature_of_a_circle():
    angle = [0.3 + 0.02 * i for i in range(N)]  # up and to the left, as the misfit falls
    radius = 2.5
    found = curve(lambda i: radius * math.cos(angle[i]), lambda i: radius * math.sin(angle[i])).curvature()
    assert len(found) == N - 2
    assert found == pytest.approx([1 / radius] * (N - 2), rel=1e-3)


def test_curve_without_a_shoulder_says_nothing():
    for found in (Curve(WEIGHTS, (1.0,) * N, (1.0,) * N), curve(lambda i: X[i], lambda i: math.exp(-X[i]))):
        choice = l_curve(found, settings=LCurveSettings())
        assert choice.place is None
        assert "own weight" in choice.warnings[0]


def _softplus(x):
    return math.log1p(math.exp(x))


def test_shoulder():
    """The variation rises until place 5.3 while the misfit rests, then the misfit falls while the variation rests."""
    bend = curve(lambda i: -0.2 * _softplus(2 * (i - 5.3)), lambda i: -0.2 * _softplus(2 * (5.3 - i)))
    choice = l_curve(bend, settings=LCurveSettings(point="largest-curvature"))
    assert choice.place == pytest.approx(5.3, abs=0.2)
    assert not choice.warnings


X = [1.3 - 0.2 * i for i in range(N)]
S_SHAPED = curve(lambda i: X[i], lambda i: -X[i] - 0.3 * X[i] ** 3)
"""Concave for x > 0 and convex for x < 0."""


def test_inflection_is_on_the_side_of_the_data():
    choice = l_curve(S_SHAPED, settings=LCurveSettings())
    assert choice.place == pytest.approx(6.5, abs=0.05)
    assert not choice.warnings
    assert l_curve(S_SHAPED, settings=LCurveSettings(point="largest-curvature")).place < choice.place


def test_no_inflection_falls_back_on_the_shoulder():
    hyperbola = curve(lambda i: X[i], lambda i: -math.hypot(X[i], 0.3))
    choice = l_curve(hyperbola, settings=LCurveSettings())
    assert choice.place == l_curve(hyperbola, settings=LCurveSettings(point="largest-curvature")).place
    assert choice.place == pytest.approx(6.5, abs=0.6)
    assert "no inflection" in choice.warnings[0]


def test_units_of_misfit_and_variation_have_no_say():
    misfits, variations = (tuple(37 * m for m in S_SHAPED.misfits), tuple(1e-3 * v for v in S_SHAPED.variations))
    scaled = l_curve(Curve(WEIGHTS, misfits, variations), settings=LCurveSettings())
    assert scaled.place == pytest.approx(l_curve(S_SHAPED, settings=LCurveSettings()).place)


@pytest.mark.parametrize("target", [0.5, 1.0, 2.0])
def test_discrepancy_is_where_the_misfit_is_the_target(target):
    line = curve(lambda i: 2.0 - 0.3 * i, lambda i: 0.1 * i)
    choice = discrepancy(line, settings=DiscrepancySettings(target=target))
    assert choice.place == pytest.approx((2.0 - math.log(target)) / 0.3)
    assert line.weight_at(choice.place) == pytest.approx(10 ** (0.25 * choice.place))
    assert not choice.warnings


def test_discrepancy_out_of_reach_says_so():
    line = curve(lambda i: 2.0 - 0.3 * i, lambda i: 0.1 * i)
    never = discrepancy(line, settings=DiscrepancySettings(target=0.01))
    assert never.place is None
    assert "noise was given too small" in never.warnings[0]
    always = discrepancy(line, settings=DiscrepancySettings(target=100.0))
    assert always.place == 0.0
    assert "smoothest map" in always.warnings[0]
