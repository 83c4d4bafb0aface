"""Multi-echo series: what they refuse and what follows from what."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_msqsm.errors import MetadataError, ShapeMismatchError
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.series import MultiEchoSeries, check_echo_times

GRID = Grid((4, 5, 6), np.eye(4))
TIMES_S = (0.004, 0.009)


def series(**changes):
    values = {
        "magnitude": np.ones((2, 4, 5, 6), np.float32),
        "phase_rad": np.zeros((2, 4, 5, 6), np.float32),
        "echo_times_s": TIMES_S,
        "b0_tesla": 3.0,
        "grid": GRID,
    }
    return MultiEchoSeries(**{**values, **changes})


def test_frequency_and_direction_follow_from_field_and_grid():
    made = series()
    assert made.n_echoes == 2
    assert made.imaging_frequency_hz == pytest.approx(127.73e6, rel=1e-3)
    assert made.hz_per_ppm == pytest.approx(127.73, rel=1e-3)
    assert made.b0_direction == (0, 0, 1)


def test_what_is_given_is_kept():
    made = series(imaging_frequency_hz=123.2e6, b0_direction=(0, 2, 0))
    assert made.imaging_frequency_hz == 123.2e6
    assert made.b0_direction == (0, 1, 0)


def test_magnitude_alone():
    assert series(phase_rad=None).phase_rad is None


def test_assumptions_are_added_to_a_copy():
    first = series()
    second = first.with_assumption("one").with_assumption("two")
    assert first.assumptions == ()
    assert second.assumptions == ("one", "two")
    assert second.magnitude is first.magnitude


@pytest.mark.parametrize("name", ["magnitude", "phase_rad"])
@pytest.mark.parametrize("shape", [(3, 4, 5, 6), (2, 4, 5, 7), (4, 5, 6)])
def test_shapes_must_fit(name, shape):
    with pytest.raises(ShapeMismatchError, match=name.removesuffix("_rad")):
        series(**{name: np.ones(shape, np.float32)})


@pytest.mark.parametrize("b0", [0, -1, 26, 15000, math.nan, math.inf])
def test_impossible_field_strength(b0):
    with pytest.raises(MetadataError, match="b0_tesla"):
        series(b0_tesla=b0)


@pytest.mark.parametrize("frequency", [127.7, 64e6, -127.7e6, math.nan, math.inf])
def test_impossible_frequency(frequency):
    with pytest.raises(MetadataError, match="imaging_frequency_hz"):
        series(imaging_frequency_hz=frequency)


@pytest.mark.parametrize("direction", [(math.nan, 0, 1), (math.inf, 0, 0)])
def test_impossible_direction(direction):
    with pytest.raises(MetadataError, match="b0_direction"):
        series(b0_direction=direction)


def test_unequal_spacing_is_allowed():
    check_echo_times((0.004, 0.005, 0.050))


@pytest.mark.parametrize(
    ("times", "word"),
    [
        ((), "no echo times"),
        ((0.0, 0.1), "positive"),
        ((-0.004,), "positive"),
        ((math.nan,), "positive"),
        ((math.inf,), "positive"),
        ((4.0, 9.0), "milliseconds"),
        ((0.004, 0.9), "milliseconds"),
        ((0.004, 0.004), "increase"),
        ((0.009, 0.004), "increase"),
    ],
)
def test_impossible_echo_times(times, word):
    with pytest.raises(MetadataError, match=word) as caught:
        check_echo_times(times)
    assert "\n" not in str(caught.value)
