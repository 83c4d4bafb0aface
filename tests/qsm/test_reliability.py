from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.reliability import ReliabilitySettings, weighed_noise

MASK = np.zeros((9, 8, 7), bool)
MASK[1:8, 1:7, 1:6] = True
MISFIT = np.full(MASK.shape, 0.1)
MISFIT[1, 3, 3] = 5.0  # at the edge
MISFIT[4, 3, 3] = 5.0  # inside
MISFIT[5, 5, 3] = 0.01
NOISE = np.full(MASK.shape, 2.0)


def weighed(**settings):
    return weighed_noise(NOISE, MISFIT, mask=MASK, settings=ReliabilitySettings(**settings))


def test_off_by_default():
    np.testing.assert_array_equal(weighed(), NOISE)


def test_noise_grows_with_the_misfit_and_never_shrinks():
    out = weighed(misfit_noise=True)
    assert out[1, 3, 3] == pytest.approx(100.0)
    assert out[4, 3, 3] == pytest.approx(100.0)
    assert out[5, 5, 3] == 2.0
    assert out[2, 2, 2] == 2.0


def test_bad_voxels_at_the_edge_lose_their_field():
    out = weighed(edge_misfit_limit=10.0)
    assert out[1, 3, 3] == 0
    assert out[4, 3, 3] == 2.0


def test_a_perfect_fit_changes_nothing():
    out = weighed_noise(NOISE, 0 * MISFIT, mask=MASK, settings=ReliabilitySettings(misfit_noise=True))
    np.testing.assert_array_equal(out, NOISE)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_library(xp_case, dtype):
    settings = ReliabilitySettings(misfit_noise=True, edge_misfit_limit=10.0)
    out = weighed_noise(
        xp_case.asarray(NOISE, dtype), xp_case.asarray(MISFIT, dtype), mask=xp_case.asarray(MASK), settings=settings
    )
    xp_case.check(out, dtype, MASK.shape)
    wanted = weighed_noise(NOISE, MISFIT, mask=MASK, settings=settings)
    np.testing.assert_allclose(xp_case.numpy(out), wanted, rtol=1e-5)
