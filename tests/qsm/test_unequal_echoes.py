"""Unequal echoes after unwrapping: the field itself, not the field modulo something."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.field_fit import fit_field
from napari_msqsm.qsm.host.unwrap_path import unwrap_field
from napari_msqsm.qsm.unequal_echoes import refit_unwrapped

SHAPE = (23, 20, 6)
MASK = np.ones(SHAPE, bool)
MASK[11] = False
TIMES = [(0.004, 0.0082, 0.013), (0.0045, 0.0093, 0.0142, 0.019), (0.004, 0.0082, 0.0102, 0.015, 0.031)]


def field_hz(offset=0.0):
    """±3 periods of the closest echoes, in two parts that do not touch."""
    x = np.linspace(-1, 1, SHAPE[0])[:, None, None]
    y = np.linspace(-1, 1, SHAPE[1])[None, :, None]
    return 710 * x + 60 * np.sin(3 * y) + offset + np.zeros(SHAPE)


def echoes(field, times, noise, seed=0):
    t = np.array(times)[:, None, None, None]
    signal = np.exp(-20 * t) * np.exp(1j * (0.7 + 2 * np.pi * field * t))
    rng = np.random.default_rng(seed)
    signal = signal + noise * (rng.standard_normal(signal.shape) + 1j * rng.standard_normal(signal.shape))
    return np.abs(signal).astype(np.float32), np.angle(signal).astype(np.float32)


def refitted(field, times, noise):
    magnitude, phase = echoes(field, times, noise)
    fit = fit_field(magnitude, phase, echo_times_s=times, mask=MASK)
    unwrapped = unwrap_field(fit.field_hz, period_hz=fit.period_hz, mask=MASK)
    found = refit_unwrapped(unwrapped, magnitude, phase, echo_times_s=times, period_hz=fit.period_hz, mask=MASK)
    return found, fit


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("offset", [0.0, 400.0])
def test_true_field_in_every_part(times, offset):
    field = field_hz(offset)
    found, _ = refitted(field, times, 0.0)
    assert np.abs(found - field)[MASK].max() < 0.02
    assert not found[~MASK].any()
    assert found.dtype == np.float32


@pytest.mark.parametrize("times", TIMES)
def test_noise_makes_no_jumps(times):
    field = field_hz(300.0)
    found, _ = refitted(field, times, 0.06)
    error = (found - field)[MASK]
    assert abs(np.median(error)) < 0.5
    # what the Cramér–Rao bound allows at this noise
    t = np.array(times)
    w = np.exp(-40 * t)
    bound = 0.06 / (2 * np.pi * np.sqrt((w * t**2).sum() - (w * t).sum() ** 2 / w.sum()))
    assert error.std() < 1.15 * bound


def test_every_array_library(xp_case):
    times = TIMES[0]
    field = field_hz(400.0)
    magnitude, phase = echoes(field, times, 0.01)
    shifted = np.where(MASK, field - 2 / 0.0042, 0)
    found = refit_unwrapped(
        xp_case.asarray(shifted, "float32"),
        xp_case.asarray(magnitude),
        xp_case.asarray(phase),
        echo_times_s=times,
        period_hz=1 / 0.0042,
        mask=xp_case.asarray(MASK),
    )
    xp_case.check(found, "float32", SHAPE)
    assert np.abs(xp_case.numpy(found) - field)[MASK].max() < 3
