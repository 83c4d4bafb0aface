from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_msqsm.qsm.robust import mean_inside, median_inside, quantile, robust_sd, sd_inside

values = hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e3, 1e3))


@settings(max_examples=60, deadline=None)
@given(values=values, q=st.floats(0, 1))
def test_quantile_is_that_of_numpy(values, q):
    assert quantile(values, q) == pytest.approx(np.quantile(values, q), abs=1e-9)


def test_inside_a_mask():
    image = np.arange(24.0).reshape(2, 3, 4)
    mask = image % 5 == 0
    chosen = image[mask]
    assert mean_inside(image, mask) == pytest.approx(chosen.mean())
    assert sd_inside(image, mask) == pytest.approx(chosen.std())
    assert median_inside(image, mask) == pytest.approx(np.median(chosen))
    assert mean_inside(image, image < 0) == 0


def test_what_lies_outside_may_be_nan():
    image = np.array([1.0, np.nan, 3.0])
    assert mean_inside(image, np.array([True, False, True])) == 2


def test_robust_sd_of_a_normal_sample_with_outliers():
    sample = np.random.default_rng(0).normal(5, 2, 4000)
    sample[:100] = 1e6
    assert robust_sd(sample) == pytest.approx(2, rel=0.08)


def test_every_array_library(xp_case):
    host = np.random.default_rng(0).normal(size=(4, 5, 6))
    image, mask = xp_case.asarray(host, "float32"), xp_case.asarray(host > -0.5)
    for function in (mean_inside, sd_inside, median_inside):
        found = function(image, mask)
        assert type(found) is float
        assert found == pytest.approx(function(host, host > -0.5), abs=1e-5)
    flat = xp_case.asarray(host.ravel(), "float32")
    assert type(quantile(flat, 0.3)) is float
    assert robust_sd(flat) == pytest.approx(robust_sd(host.ravel()), abs=1e-5)
