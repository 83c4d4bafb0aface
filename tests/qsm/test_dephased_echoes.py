"""Voxels that dephase within the echo train keep their field."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from napari_msqsm.qsm.dephased_echoes import refit_dephased
from napari_msqsm.qsm.field_fit import FieldFitSettings, fit_field
from napari_msqsm.qsm.host.unwrap_path import unwrap_field

TWO = FieldFitSettings(dephasing_rounds=2)
TIMES = tuple(0.0067 + 0.0041 * echo for echo in range(9))
SHAPE, PARTS = (19, 16, 13), 5
MASK = np.ones(SHAPE, bool)
MASK[:, 0] = False


@functools.cache
def scan(strength_hz=300.0, noise=0.003, times=TIMES):
    """Field of a source beside the image, and the signal averaged over the sub-voxels of each voxel."""
    fine = [(np.arange(n * PARTS) + 0.5) / PARTS - 0.5 for n in SHAPE]
    x, y, z = np.meshgrid(*fine, indexing="ij", sparse=True)
    r2 = (x - 9) ** 2 + (y + 6) ** 2 + (z - 6) ** 2
    field = strength_hz * (6.0**2 / r2) ** 1.5 * (3 * (z - 6) ** 2 / r2 - 1)
    average = lambda image: image.reshape(*(k for n in SHAPE for k in (n, PARTS))).mean(axis=(1, 3, 5))  # noqa: E731
    signal = np.stack([np.exp(-20 * t + 0.4j) * average(np.exp(2j * np.pi * t * field)) for t in times])
    rng = np.random.default_rng(0)
    signal = signal + noise * (rng.standard_normal(signal.shape) + 1j * rng.standard_normal(signal.shape))
    return average(field), np.abs(signal), np.angle(signal)


def fitted(magnitude, phase, times=TIMES):
    fit = fit_field(magnitude, phase, echo_times_s=times, mask=MASK)
    return unwrap_field(fit.field_hz, period_hz=fit.period_hz, mask=MASK)


def rms(error):
    return float(np.sqrt(np.mean(error**2)))


def test_dephased_voxels_are_mended_and_the_others_kept():
    field, magnitude, phase = scan()
    plain = fitted(magnitude, phase)
    mended = refit_dephased(plain, magnitude, phase, echo_times_s=TIMES, mask=MASK, settings=TWO)
    spoilt = MASK & (np.abs(plain - field) > 5)
    assert spoilt.sum() > 50
    assert rms((mended - field)[spoilt]) < 0.7 * rms((plain - field)[spoilt])
    assert np.median(np.abs(mended - field)[spoilt]) < 0.3 * np.median(np.abs(plain - field)[spoilt])
    worse = np.abs(mended - field) > np.abs(plain - field) + 5
    assert not worse[MASK].any()
    assert np.median(np.abs(mended - field)[MASK]) <= 1.02 * np.median(np.abs(plain - field)[MASK])
    assert not mended[~MASK].any()


def test_without_a_steep_field_the_fit_stays():
    field, magnitude, phase = scan(strength_hz=10.0)
    plain = fitted(magnitude, phase)
    again = refit_dephased(plain, magnitude, phase, echo_times_s=TIMES, mask=MASK, settings=TWO)
    assert rms((again - plain)[MASK]) < 0.1 * rms((plain - field)[MASK])


def test_nothing_is_done_without_rounds_or_with_two_echoes():
    _, magnitude, phase = scan()
    plain = fitted(magnitude, phase)
    same = refit_dephased(plain, magnitude, phase, echo_times_s=TIMES, mask=MASK, settings=FieldFitSettings())
    np.testing.assert_array_equal(same, plain)
    two = refit_dephased(plain, magnitude[:2], phase[:2], echo_times_s=TIMES[:2], mask=MASK, settings=TWO)
    np.testing.assert_array_equal(two, plain)


def test_a_bad_echo_beside_dephasing():
    field, magnitude, phase = scan()
    robust = FieldFitSettings(dephasing_rounds=2, outlier_echoes=True)
    phase = phase.copy()
    phase[3] = np.random.default_rng(1).uniform(-np.pi, np.pi, SHAPE)
    fit = fit_field(magnitude, phase, echo_times_s=TIMES, mask=MASK, settings=robust)
    start = unwrap_field(fit.field_hz, period_hz=fit.period_hz, mask=MASK)
    shared = {"echo_times_s": TIMES, "mask": MASK}
    mended = refit_dephased(start, magnitude, phase, settings=robust, **shared)
    plain = refit_dephased(start, magnitude, phase, settings=TWO, **shared)
    assert np.median(np.abs(mended - field)[MASK]) < 0.6 * np.median(np.abs(plain - field)[MASK])


def test_progress_may_stop_it():
    _, magnitude, phase = scan()
    plain, seen = fitted(magnitude, phase), []
    shared = {"echo_times_s": TIMES, "mask": MASK, "settings": TWO}
    refit_dephased(plain, magnitude, phase, on_progress=seen.append, **shared)
    assert seen == [0.5, 1.0]

    def stop(fraction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refit_dephased(plain, magnitude, phase, on_progress=stop, **shared)


@pytest.mark.parametrize("robust", [False, True])
def test_every_array_library(xp_case, robust):
    _, magnitude, phase = scan()
    plain = fitted(magnitude, phase)
    settings = FieldFitSettings(dephasing_rounds=1, outlier_echoes=robust)
    wanted = refit_dephased(plain, magnitude, phase, echo_times_s=TIMES, mask=MASK, settings=settings)
    out = refit_dephased(
        *(xp_case.asarray(array, "float32") for array in (plain, magnitude, phase)),
        echo_times_s=TIMES,
        mask=xp_case.asarray(MASK),
        settings=settings,
    )
    xp_case.check(out, "float32", SHAPE)
    assert np.quantile(np.abs(xp_case.numpy(out) - wanted), 0.99) < 0.05
