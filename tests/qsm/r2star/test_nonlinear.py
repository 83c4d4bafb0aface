from __future__ import annotations

import math

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.qsm.r2star.arlo import arlo
from napari_msqsm.qsm.r2star.nonlinear import NonlinearSettings, nonlinear

TIMES_S = tuple(0.0067 + 0.0041 * i for i in range(11))
UNEQUAL_S = (0.003, 0.008, 0.011, 0.02, 0.033, 0.05)
SHAPE = (30, 30, 20)
HEAD = np.zeros(SHAPE, bool)
HEAD[5:25, 5:25, 3:17] = True


def noisy(rate, times, *, snr, n_coils=1, seed=0, factor=1.0):
    """Root-sum-of-squares magnitude of a block in air; noise of 1 per channel."""
    rng = np.random.default_rng(seed)
    t = np.array(times)[:, None, None, None]
    signal = np.where(HEAD, snr * np.exp(-rate * t) * factor, 0.0) / math.sqrt(n_coils)
    parts = rng.standard_normal((2, n_coils, len(times), *SHAPE))
    parts[0] += signal
    return np.sqrt((parts**2).sum((0, 1))).astype(np.float32)


@pytest.mark.parametrize("n_coils", [1, 8])
@pytest.mark.parametrize("times", [TIMES_S, UNEQUAL_S])
def test_late_echoes_at_the_floor_bias_arlo_and_not_the_fit(n_coils, times):
    magnitude = noisy(90.0, times, snr=20.0, n_coils=n_coils)
    biased = np.median(arlo(magnitude, echo_times_s=times, mask=HEAD)[HEAD])
    found = np.median(nonlinear(magnitude, echo_times_s=times, mask=HEAD)[HEAD])
    assert biased < 85
    assert found == pytest.approx(90, rel=0.02)


def test_the_floor_comes_from_the_misfit_where_air_was_masked():
    magnitude = np.where(HEAD, noisy(60.0, TIMES_S, snr=30.0), 0).astype(np.float32)
    without = np.median(
        nonlinear(magnitude, echo_times_s=TIMES_S, mask=HEAD, settings=NonlinearSettings(noise_floor=False))[HEAD]
    )
    found = np.median(nonlinear(magnitude, echo_times_s=TIMES_S, mask=HEAD)[HEAD])
    assert abs(found - 60) < 1
    assert abs(found - 60) < abs(without - 60)


def test_spread_is_near_the_bound():
    snr, rate = 100.0, 20.0
    found = nonlinear(noisy(rate, TIMES_S, snr=snr), echo_times_s=TIMES_S, mask=HEAD)[HEAD]
    t = np.array(TIMES_S)
    signal = snr * np.exp(-rate * t)
    information = np.array([[(signal**2).sum(), -(signal**2 * t).sum()], [0, (signal**2 * t**2).sum()]])
    information[1, 0] = information[0, 1]
    bound = math.sqrt(np.linalg.inv(information)[1, 1])
    assert found.mean() == pytest.approx(rate, abs=0.1)
    assert found.std() == pytest.approx(bound, rel=0.05)


def test_macroscopic_gradient_is_taken_out():
    slopes = np.linspace(-25, 25, SHAPE[0])[:, None, None] * np.ones(SHAPE)  # Hz per voxel along z, changing along x
    field = slopes * np.arange(SHAPE[2])
    changes_x = np.gradient(field, axis=0)
    t = np.array(TIMES_S)[:, None, None, None]
    factor = np.sinc(slopes * t) * np.sinc(changes_x * t)
    magnitude = noisy(20.0, TIMES_S, snr=1000.0, factor=factor)
    settings = NonlinearSettings(macroscopic_correction=True)
    plain = nonlinear(magnitude, echo_times_s=TIMES_S, mask=HEAD, total_field_hz=field)
    found = nonlinear(magnitude, echo_times_s=TIMES_S, mask=HEAD, total_field_hz=field, settings=settings)
    assert plain[HEAD].max() > 40
    np.testing.assert_allclose(found[HEAD], 20, atol=1)


def test_correction_without_a_field_is_refused():
    with pytest.raises(ParameterError, match="there is no total field; give phase"):
        nonlinear(
            noisy(20.0, TIMES_S, snr=50.0),
            echo_times_s=TIMES_S,
            mask=HEAD,
            settings=NonlinearSettings(macroscopic_correction=True),
        )


def test_every_array_library_with_noise_and_field(xp_case):
    magnitude = noisy(60.0, TIMES_S, snr=20.0)[:, 4:12, 4:12, 2:9]
    head = HEAD[4:12, 4:12, 2:9]
    field = np.random.default_rng(0).normal(0, 20, head.shape)
    settings = NonlinearSettings(macroscopic_correction=True)
    wanted = nonlinear(
        magnitude.astype(float), echo_times_s=TIMES_S, mask=head, total_field_hz=field, settings=settings
    )
    found = nonlinear(
        xp_case.asarray(magnitude),
        echo_times_s=TIMES_S,
        mask=xp_case.asarray(head),
        total_field_hz=xp_case.asarray(field, "float32"),
        settings=settings,
    )
    xp_case.check(found, "float32", head.shape)
    np.testing.assert_allclose(xp_case.numpy(found), wanted, atol=0.05, rtol=1e-3)
