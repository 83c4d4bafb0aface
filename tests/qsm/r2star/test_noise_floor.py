from __future__ import annotations

import math

import numpy as np
import pytest

from napari_msqsm.qsm.r2star.noise_floor import noise_floor_squared, signal_variance_from_misfit

SHAPE = (24, 24, 12)
SIGMA = 3.0


def magnitudes(n_coils, n_echoes, *, air=True, seed=0):
    """Head of signal 200 in air, root sum of squares over coils; scalp of signal 60 between."""
    rng = np.random.default_rng(seed)
    head = np.zeros(SHAPE, bool)
    head[8:16, 8:16, 3:9] = True
    signal = np.where(head, 200.0, 0.0)
    signal[6:8, 6:18] = 60.0
    parts = rng.normal(0, SIGMA, (2, n_coils, n_echoes, *SHAPE))
    parts[0] += signal / math.sqrt(n_coils)
    out = np.sqrt((parts**2).sum((0, 1)))
    if not air:
        out[:, signal == 0] = 0
    return out, head


@pytest.mark.parametrize("n_coils", [1, 4, 16])
@pytest.mark.parametrize("n_echoes", [4, 11])
def test_air_shows_the_floor_of_any_number_of_coils(n_coils, n_echoes):
    magnitude, head = magnitudes(n_coils, n_echoes)
    found = noise_floor_squared(magnitude, head, SIGMA**2)
    assert found == pytest.approx(2 * n_coils * SIGMA**2, rel=0.05)


def test_masked_air_is_not_believed():
    magnitude, head = magnitudes(1, 8)
    assert noise_floor_squared(np.where(head, magnitude, 0.0), head, SIGMA**2) == pytest.approx(2 * SIGMA**2)
    scaled = np.where(head, magnitude, 0.01 * magnitude)
    assert noise_floor_squared(scaled, head, SIGMA**2) == pytest.approx(2 * SIGMA**2)


def test_unknown_variance_leaves_air_or_nothing():
    magnitude, head = magnitudes(1, 8)
    assert noise_floor_squared(magnitude, head, math.nan) == pytest.approx(2 * SIGMA**2, rel=0.05)
    assert noise_floor_squared(np.where(head, magnitude, 0.0), head, math.nan) == 0


@pytest.mark.parametrize("degrees", [1, 3, 9])
def test_variance_from_misfit(degrees):
    misfit = SIGMA**2 * np.random.default_rng(0).chisquare(degrees, 100_000)
    assert signal_variance_from_misfit(misfit, degrees) == pytest.approx(SIGMA**2, rel=0.06)
    assert math.isnan(signal_variance_from_misfit(misfit, 0))


def test_every_array_library(xp_case):
    magnitude, head = magnitudes(1, 4)
    found = noise_floor_squared(xp_case.asarray(magnitude, "float32"), xp_case.asarray(head), SIGMA**2)
    assert found == pytest.approx(noise_floor_squared(magnitude, head, SIGMA**2), rel=1e-3)
