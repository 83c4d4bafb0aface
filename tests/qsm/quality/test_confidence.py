from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.quality.confidence import confidence_map

SHAPE = (6, 5, 4)
MASK = np.ones(SHAPE, bool)
MASK[0] = False
FIELD = np.ones(SHAPE)


def of(noise, residual=None, field=FIELD, mask=MASK):
    return confidence_map(noise_sd_hz=noise, fit_residual=residual, local_field_hz=field, mask=mask)


def test_twice_the_noise_is_a_quarter():
    noise = np.full(SHAPE, 0.3)
    noise[3, 2, 1], noise[3, 2, 2] = 0.6, 0.1
    found = of(noise)
    assert found[3, 2, 1] == pytest.approx(0.25)
    assert found[3, 2, 2] == 1
    assert not found[~MASK].any()
    np.testing.assert_allclose(of(1000 * noise), found)


def test_misfit_counts_where_it_exceeds_the_noise():
    noise, residual = np.full(SHAPE, 0.3), np.full(SHAPE, 0.05)
    noise[3, 2, 1], residual[3, 2, 1] = 0.6, 0.10  # weak signal: the misfit is what its noise explains
    residual[3, 2, 2] = 0.20
    found = of(noise, residual)
    assert found[3, 2, 1] == pytest.approx(0.25)
    assert found[3, 2, 2] == pytest.approx(1 / 16)


def test_no_field_no_confidence():
    noise, field = np.full(SHAPE, 0.3), FIELD.copy()
    noise[2, 2, 2], field[3, 3, 3] = 0, 0
    found = of(noise, field=field)
    assert found[2, 2, 2] == 0
    assert found[3, 3, 3] == 0
    assert not of(0 * noise).any()


def test_without_phase_the_noise_alone_counts():
    noise = np.random.default_rng(0).uniform(0.1, 1, SHAPE)
    np.testing.assert_array_equal(of(noise, np.full(SHAPE, np.nan)), of(noise))


def test_every_array_library(xp_case):
    rng = np.random.default_rng(0)
    noise, residual = rng.uniform(0.1, 1, SHAPE), rng.uniform(0.01, 0.1, SHAPE)
    found = confidence_map(
        noise_sd_hz=xp_case.asarray(noise, "float32"),
        fit_residual=xp_case.asarray(residual, "float32"),
        local_field_hz=xp_case.asarray(FIELD, "float32"),
        mask=xp_case.asarray(MASK),
    )
    xp_case.check(found, "float32", SHAPE)
    np.testing.assert_allclose(xp_case.numpy(found), of(noise, residual), rtol=1e-4)
