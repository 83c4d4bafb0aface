"""The field fit: exact without noise, calibrated with it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_msqsm.qsm.complex_fit import wrapped
from napari_msqsm.qsm.echo_spacing import equally_spaced, smallest_spacing_s
from napari_msqsm.qsm.field_fit import FieldFitSettings, fit_field, scatter

EQUAL = (0.0045, 0.0093, 0.0141, 0.0189, 0.0237)
UNEQUAL = (0.004, 0.0082, 0.013)
SHAPE = (7, 6, 5)
RNG = np.random.default_rng(0)
FIELD = RNG.uniform(-300, 300, SHAPE)
OFFSET = RNG.uniform(-3, 3, SHAPE)
MASK = RNG.random(SHAPE) < 0.8


def echoes(times, field=FIELD, offset=OFFSET, r2star=30.0, noise=0.0, dtype=np.float64, seed=0):
    t = np.array(times).reshape(-1, *[1] * field.ndim)
    signal = np.exp(-r2star * t) * np.exp(1j * (offset + 2 * np.pi * field * t))
    rng = np.random.default_rng(seed)
    signal = signal + noise * (rng.standard_normal(signal.shape) + 1j * rng.standard_normal(signal.shape))
    return np.abs(signal).astype(dtype), np.angle(signal).astype(dtype)


def fitted(times, mask=MASK, **changes):
    magnitude, phase = echoes(times, **changes)
    return fit_field(magnitude, phase, echo_times_s=times, mask=mask)


def apart(a, b, period):
    """Distance modulo a period."""
    return np.abs((a - b + period / 2) % period - period / 2)


@pytest.mark.parametrize("n", [2, 3, 5, 11, 32])
@pytest.mark.parametrize("first", [0.002, 0.0067, 0.02])
def test_exact_without_noise(n, first):
    times = tuple(first + 0.0041 * i for i in range(n))
    fit = fitted(times)
    assert fit.period_hz == pytest.approx(1 / 0.0041)
    assert apart(fit.field_hz, FIELD, fit.period_hz)[MASK].max() < 1e-4
    assert np.abs(fit.field_hz).max() <= fit.period_hz / 2 * (1 + 1e-9)
    assert not fit.field_hz[~MASK].any()
    assert fit.residual[MASK].max() < 1e-4
    assert fit.converged_fraction == 1


@pytest.mark.parametrize("times", [UNEQUAL, (0.003, 0.009, 0.0117, 0.0222), (0.0049, 0.0098, 0.0148, 0.0197)])
def test_unequal_spacing_is_exact_up_to_whole_periods(times):
    fit = fitted(times)
    assert fit.period_hz == pytest.approx(1 / smallest_spacing_s(times))
    assert apart(fit.field_hz, FIELD, fit.period_hz)[MASK].max() < 1e-3
    assert fit.residual[MASK].max() < 1e-3


def test_rounded_echo_times_are_equal():
    assert equally_spaced((0.0067, 0.0108, 0.0149))
    assert equally_spaced((0.00492, 0.00984, 0.01477, 0.01969))
    assert equally_spaced((0.005,))
    assert not equally_spaced(UNEQUAL)
    assert not equally_spaced((0.0049, 0.0098, 0.0148, 0.0197))


def test_offset_at_time_zero():
    inside = np.abs(FIELD) < 0.5 / 0.0048
    fit = fitted(EQUAL)
    assert apart(fit.offset_rad, OFFSET, 2 * np.pi)[MASK & inside].max() < 1e-4


@settings(max_examples=25, deadline=None)
@given(field=st.floats(-2000, 2000), offset=st.floats(-10, 10), turns=st.integers(-3, 3))
def test_the_same_field_whole_periods_apart(field, offset, turns):
    one = np.ones((1, 1, 1))
    period = 1 / 0.0048
    first = fitted(EQUAL, one > 0, field=field * one, offset=offset * one)
    # a period more turns the phase at the first echo: that goes into the offset
    second = fitted(EQUAL, one > 0, field=(field + turns * period) * one, offset=offset * one)
    assert apart(first.field_hz, second.field_hz, period).max() < 1e-3


@pytest.mark.parametrize("scale", [1e-10, 1e-3, 4096.0, 1e11])
def test_magnitude_scale_has_no_say_in_single_precision(scale):
    magnitude, phase = (part.astype(np.float32) for part in echoes(EQUAL, noise=0.02))
    plain = fit_field(magnitude, phase, echo_times_s=EQUAL, mask=MASK)
    scaled = fit_field(magnitude * np.float32(scale), phase, echo_times_s=EQUAL, mask=MASK)
    np.testing.assert_allclose(scaled.field_hz, plain.field_hz, atol=1e-3)
    np.testing.assert_allclose(scaled.noise_sd_hz, plain.noise_sd_hz, rtol=1e-3)
    np.testing.assert_allclose(scaled.residual, plain.residual, atol=1e-5)


@pytest.mark.parametrize("shift", [-7, 2])
def test_phase_may_come_in_any_turn(shift):
    magnitude, phase = echoes(EQUAL, noise=0.01)
    turns = np.arange(len(EQUAL))[:, None, None, None] * shift
    plain = fit_field(magnitude, phase, echo_times_s=EQUAL, mask=MASK)
    other = fit_field(magnitude, phase + 2 * np.pi * turns, echo_times_s=EQUAL, mask=MASK)
    np.testing.assert_allclose(other.field_hz, plain.field_hz, atol=1e-6)


@pytest.mark.parametrize("times", [UNEQUAL, EQUAL, tuple(0.0067 + 0.0041 * i for i in range(11))])
@pytest.mark.parametrize("noise", [0.01, 0.04])
def test_noise_map_is_the_scatter(times, noise):
    shape = (16, 16, 16)
    r2star = np.where(np.arange(16) < 8, 15.0, 60.0)[:, None, None] * np.ones(shape)
    field, offset = np.full(shape, 37.0), np.full(shape, 1.0)
    fit = fitted(times, np.ones(shape, bool), field=field, offset=offset, r2star=r2star, noise=noise)
    error = (fit.field_hz - field + fit.period_hz / 2) % fit.period_hz - fit.period_hz / 2
    for half in (slice(0, 8), slice(8, 16)):
        scatter_hz = 1.4826 * np.median(np.abs(error[half]))
        assert np.median(fit.noise_sd_hz[half]) == pytest.approx(scatter_hz, rel=0.12)
        assert abs(np.median(error[half])) < 0.1 * scatter_hz


def test_voxels_without_signal_are_known_to_be_unknown():
    magnitude, phase = echoes(EQUAL)
    magnitude[:, 2, :, :] = 0
    fit = fit_field(magnitude, phase, echo_times_s=EQUAL, mask=MASK)
    dark = MASK & (np.arange(7) == 2)[:, None, None]
    assert not fit.noise_sd_hz[dark].any()
    assert (fit.residual[dark] == 1).all()
    assert np.isfinite(fit.field_hz).all()
    assert (fit.noise_sd_hz[MASK & ~dark] > 0).all()


def test_one_lit_echo_gives_no_field_noise():
    magnitude, phase = echoes(EQUAL)
    magnitude[1:, 3, :, :] = 0
    fit = fit_field(magnitude, phase, echo_times_s=EQUAL, mask=MASK)
    assert not fit.noise_sd_hz[3].any()
    assert np.isfinite(fit.field_hz).all()


def test_residual_of_phase_that_does_not_fit():
    magnitude, _ = echoes(EQUAL)
    phase = np.random.default_rng(3).uniform(-np.pi, np.pi, magnitude.shape)
    assert np.median(fit_field(magnitude, phase, echo_times_s=EQUAL, mask=MASK).residual[MASK]) > 0.4


def test_single_echo():
    field = np.full((1, 1, 1), 20.0)
    fit = fitted((0.01,), field > 0, field=field, offset=0 * field)
    assert fit.field_hz[0, 0, 0] == pytest.approx(20)
    assert fit.period_hz == pytest.approx(100)
    assert fit.noise_sd_hz[0, 0, 0] > 0


def test_stopping_early_is_reported():
    magnitude, phase = echoes(EQUAL, noise=0.2)
    settings = FieldFitSettings(max_iter=1, atol_rad=1e-9)
    assert fit_field(magnitude, phase, echo_times_s=EQUAL, mask=MASK, settings=settings).converged_fraction < 0.5


def test_progress_grows_and_may_stop_it():
    for times in (EQUAL, UNEQUAL):
        magnitude, phase = echoes(times, noise=0.05)
        seen = []
        fit_field(magnitude, phase, echo_times_s=times, mask=MASK, on_progress=seen.append)
        assert seen == sorted(seen)
        assert 0 < seen[-1] <= 1

    def stop(fraction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_field(magnitude, phase, echo_times_s=UNEQUAL, mask=MASK, on_progress=stop)


def test_wrapped():
    np.testing.assert_allclose(wrapped(np.array([0.0, 3.0, 4.0, -7.0])), [0.0, 3.0, 4 - 2 * np.pi, -7 + 2 * np.pi])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("times", [EQUAL, UNEQUAL, (0.01,)])
def test_every_array_library(xp_case, dtype, times):
    magnitude, phase = echoes(times, noise=0.01)
    magnitude[:, 0, 0, 0] = 0
    wanted = fit_field(magnitude, phase, echo_times_s=times, mask=MASK)
    fit = fit_field(
        xp_case.asarray(magnitude, dtype), xp_case.asarray(phase, dtype), echo_times_s=times, mask=xp_case.asarray(MASK)
    )
    for name in ("field_hz", "offset_rad", "noise_sd_hz", "residual"):
        xp_case.check(getattr(fit, name), dtype, SHAPE)
    assert apart(xp_case.numpy(fit.field_hz), wanted.field_hz, wanted.period_hz).max() < 2e-2
    np.testing.assert_allclose(xp_case.numpy(fit.noise_sd_hz), wanted.noise_sd_hz, rtol=2e-2, atol=1e-5)


def test_scatter_undoes_taking_the_mask(xp_case):
    image, mask = xp_case.asarray(FIELD, "float32"), xp_case.asarray(MASK)
    back = scatter(image[mask], mask)
    xp_case.check(back, "float32", SHAPE)
    np.testing.assert_array_equal(xp_case.numpy(back), np.where(MASK, FIELD, 0).astype(np.float32))
