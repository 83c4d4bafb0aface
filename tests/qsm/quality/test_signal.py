from __future__ import annotations

import math

import numpy as np
import pytest

from napari_msqsm.qsm.field_fit import fit_field
from napari_msqsm.qsm.quality.signal import signal_to_noise

SHAPE = (20, 20, 10)
TIMES_S = tuple(0.005 + 0.004 * i for i in range(6))
MASK = np.ones(SHAPE, bool)


def measured(sigma, amplitude=100.0):
    rng = np.random.default_rng(0)
    t = np.array(TIMES_S)[:, None, None, None]
    signal = amplitude * np.exp(-20 * t) * np.exp(2j * np.pi * 30 * t) * np.ones(SHAPE)
    signal = signal + sigma * (rng.standard_normal(signal.shape) + 1j * rng.standard_normal(signal.shape))
    magnitude, phase = np.abs(signal), np.angle(signal)
    noise = fit_field(magnitude, phase, echo_times_s=TIMES_S, mask=MASK).noise_sd_hz
    return signal_to_noise(magnitude, signal_noise_sd_hz=noise, echo_times_s=TIMES_S, mask=MASK)


@pytest.mark.parametrize("sigma", [0.5, 2.0, 8.0])
def test_ratio_of_signal_and_the_noise_of_a_channel(sigma):
    decay = 100 * np.exp(-20 * np.array(TIMES_S))
    found = measured(sigma)
    assert found["snr_first_echo"] == pytest.approx(decay[0] / sigma, rel=0.05)
    assert found["snr_combined"] == pytest.approx(np.linalg.norm(decay) / sigma, rel=0.05)


def test_no_noise_is_not_a_number():
    found = signal_to_noise(np.ones((6, *SHAPE)), signal_noise_sd_hz=np.zeros(SHAPE), echo_times_s=TIMES_S, mask=MASK)
    assert all(math.isnan(value) for value in found.values())
