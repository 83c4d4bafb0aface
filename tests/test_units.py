from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_msqsm import units


def test_proton_frequency_at_3_tesla():
    assert units.imaging_frequency_hz(3.0) == pytest.approx(127.732e6, rel=1e-5)


def test_one_ppm_is_the_frequency_in_mhz():
    assert units.hz_per_ppm(123.2e6) == pytest.approx(123.2)


def test_one_turn_after_the_period():
    assert units.radians_per_hz(0.02) * 50.0 == pytest.approx(2 * math.pi)


@given(st.floats(0.1, 20), st.floats(-10, 10), st.floats(1e-4, 0.1))
def test_phase_of_a_field_in_ppm_agrees_with_gamma_b0_te(b0_tesla, field_ppm, echo_time_s):
    frequency = units.imaging_frequency_hz(b0_tesla)
    phase = field_ppm * units.hz_per_ppm(frequency) * units.radians_per_hz(echo_time_s)
    gamma = 2.6752218744e8  # rad/s/T
    assert phase == pytest.approx(gamma * b0_tesla * field_ppm * 1e-6 * echo_time_s, rel=1e-8, abs=1e-12)
