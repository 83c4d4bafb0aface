from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.reference import referenced

CHI = np.random.default_rng(0).normal(0.1, 0.05, (4, 5, 6))
MASK = CHI > 0.05
REGION = CHI > 0.12


def test_mean_of_the_region_becomes_zero_and_outside_is_exactly_zero():
    chi, shift = referenced(CHI, mask=MASK, region=REGION)
    assert chi[REGION & MASK].mean() == pytest.approx(0, abs=1e-12)
    assert shift == pytest.approx(CHI[REGION & MASK].mean())
    assert (chi[~MASK] == 0).all()
    np.testing.assert_allclose(chi[MASK], CHI[MASK] - shift)


def test_region_counts_inside_the_mask_only():
    _, shift = referenced(CHI, mask=MASK, region=np.ones_like(MASK))
    assert shift == pytest.approx(CHI[MASK].mean())


def test_no_region_subtracts_nothing():
    chi, shift = referenced(CHI, mask=MASK, region=None)
    assert shift == 0
    np.testing.assert_array_equal(chi, np.where(MASK, CHI, 0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_library(xp_case, dtype):
    chi, shift = referenced(xp_case.asarray(CHI, dtype), mask=xp_case.asarray(MASK), region=xp_case.asarray(REGION))
    xp_case.check(chi, dtype, CHI.shape)
    assert type(shift) is float
