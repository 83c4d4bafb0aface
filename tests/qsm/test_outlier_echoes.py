"""A bad echo does not spoil the field; without one, nothing changes."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.echo_spacing import smallest_spacing_s
from napari_msqsm.qsm.field_fit import FieldFitSettings, fit_field

ROBUST = FieldFitSettings(outlier_echoes=True)
SHAPE = (20, 16, 5)
NOISE = 0.02
EIGHT = tuple(0.0045 + 0.0041 * echo for echo in range(8))
FIVE = EIGHT[:5]
UNEQUAL = (0.004, 0.0082, 0.013, 0.0168, 0.0221, 0.026)


def echoes(times, bad=(), where=slice(None), seed=0):
    rng = np.random.default_rng(seed)
    field, offset = rng.uniform(-100, 100, SHAPE), rng.uniform(-3, 3, SHAPE)
    t = np.array(times)[:, None, None, None]
    signal = np.exp(-25 * t) * np.exp(1j * (offset + 2 * np.pi * field * t))
    signal = signal + NOISE * (rng.standard_normal(signal.shape) + 1j * rng.standard_normal(signal.shape))
    phase = np.angle(signal)
    for echo in bad:
        phase[echo, where] = rng.uniform(-np.pi, np.pi, phase[echo, where].shape)
    return field, np.abs(signal), phase


def error_hz(times, settings=ROBUST, **changes):
    field, magnitude, phase = echoes(times, **changes)
    fit = fit_field(magnitude, phase, echo_times_s=times, mask=np.ones(SHAPE, bool), settings=settings)
    period = 1 / smallest_spacing_s(times)
    return np.abs((fit.field_hz - field + period / 2) % period - period / 2), fit


@pytest.mark.parametrize("times", [EIGHT, UNEQUAL])
@pytest.mark.parametrize("bad", [0, 1, 3, 5])
def test_one_random_echo_in_a_region(times, bad):
    region = slice(5, 12)
    clean, _ = error_hz(times, FieldFitSettings())
    plain, _ = error_hz(times, FieldFitSettings(), bad=(bad,), where=region)
    error, fit = error_hz(times, bad=(bad,), where=region)
    assert np.median(error[region]) < 2.5 * np.median(clean[region])
    assert np.quantile(error[region], 0.98) < 3 * np.quantile(clean[region], 0.98)
    assert np.median(error[region]) < 0.5 * np.median(plain[region])
    np.testing.assert_allclose(np.delete(error, np.r_[region], 0), np.delete(clean, np.r_[region], 0), atol=1.0)
    assert int(np.argmax(fit.outlier_fraction)) == bad
    assert fit.outlier_fraction[bad] == pytest.approx(7 / 20, abs=0.07)


@pytest.mark.parametrize("bad", [0, 2, 4])
def test_one_echo_bad_in_every_voxel_is_not_taken_for_noise(bad):
    clean, _ = error_hz(FIVE, FieldFitSettings())
    error, fit = error_hz(FIVE, bad=(bad,))
    assert np.median(error) < 2.5 * np.median(clean)
    assert fit.outlier_fraction[bad] > 0.8
    assert max(np.delete(fit.outlier_fraction, bad)) < 0.1
    assert np.median(fit.noise_sd_hz) == pytest.approx(1.4826 * np.median(error), rel=0.3)


def test_two_bad_echoes_of_eight():
    clean, _ = error_hz(EIGHT, FieldFitSettings())
    error, _ = error_hz(EIGHT, bad=(2, 5), where=slice(0, 10))
    assert np.median(error[:10]) < 2 * np.median(clean[:10])


def test_good_echoes_are_left_as_they_are():
    clean, plain = error_hz(EIGHT, FieldFitSettings())
    error, fit = error_hz(EIGHT)
    assert max(fit.outlier_fraction) < 0.01
    same = fit.field_hz == plain.field_hz
    assert same.mean() > 0.95
    assert np.sqrt(np.mean(error**2)) < 1.05 * np.sqrt(np.mean(clean**2))
    exact = fit_field(
        np.ones((8, *SHAPE)), np.zeros((8, *SHAPE)), echo_times_s=EIGHT, mask=np.ones(SHAPE, bool), settings=ROBUST
    )
    assert not exact.field_hz.any()


def test_three_echoes_cannot_outvote_one():
    _, magnitude, phase = echoes(EIGHT[:3])
    shared = {"echo_times_s": EIGHT[:3], "mask": np.ones(SHAPE, bool)}
    robust = fit_field(magnitude, phase, settings=ROBUST, **shared)
    np.testing.assert_array_equal(robust.field_hz, fit_field(magnitude, phase, **shared).field_hz)
    assert robust.outlier_fraction == ()


def test_progress_grows():
    _, magnitude, phase = echoes(EIGHT, bad=(1,))
    seen = []
    mask = np.ones(SHAPE, bool)
    fit_field(magnitude, phase, echo_times_s=EIGHT, mask=mask, settings=ROBUST, on_progress=seen.append)
    assert seen == sorted(seen)
    assert 0.5 < seen[-1] <= 1


def test_every_array_library(xp_case):
    _, magnitude, phase = echoes(FIVE, bad=(3,), where=slice(0, 8))
    mask = np.ones(SHAPE, bool)
    mask[0] = False
    wanted = fit_field(magnitude, phase, echo_times_s=FIVE, mask=mask, settings=ROBUST)
    fit = fit_field(
        xp_case.asarray(magnitude, "float32"),
        xp_case.asarray(phase, "float32"),
        echo_times_s=FIVE,
        mask=xp_case.asarray(mask),
        settings=ROBUST,
    )
    xp_case.check(fit.field_hz, "float32", SHAPE)
    assert np.quantile(np.abs(xp_case.numpy(fit.field_hz) - wanted.field_hz), 0.99) < 0.05
