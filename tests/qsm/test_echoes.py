from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.echoes import field_noise_from_magnitude, root_sum_of_squares

TIMES = (0.005, 0.010, 0.017)
MAGNITUDE = np.random.default_rng(0).uniform(1, 9, (3, 4, 5, 2))
MASK = np.random.default_rng(1).random((4, 5, 2)) < 0.8


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_root_sum_of_squares(xp_case, dtype):
    out = root_sum_of_squares(xp_case.asarray(MAGNITUDE, dtype))
    xp_case.check(out, dtype, (4, 5, 2))
    np.testing.assert_allclose(xp_case.numpy(out), np.sqrt((MAGNITUDE**2).sum(0)), rtol=1e-5)


@pytest.mark.parametrize("n", [1, 3])
def test_noise_is_the_error_of_a_weighted_line_through_the_phases(n):
    noise = field_noise_from_magnitude(MAGNITUDE[:n], echo_times_s=TIMES[:n], mask=MASK)
    design = np.array([[1.0, 2 * np.pi * t] for t in TIMES[:n]]) if n > 1 else np.array([[2 * np.pi * TIMES[0]]])
    for index in np.argwhere(MASK):
        weight = np.diag(MAGNITUDE[(slice(0, n), *index)] ** 2)
        wanted = np.sqrt(np.linalg.inv(design.T @ weight @ design)[-1, -1])
        assert noise[tuple(index)] == pytest.approx(wanted, rel=1e-6)
    assert not noise[~MASK].any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_on_every_array_library(xp_case, dtype):
    magnitude = MAGNITUDE.copy()
    magnitude[:, 0, 0, 0] = 0
    mask = np.ones(MASK.shape, bool)
    out = field_noise_from_magnitude(xp_case.asarray(magnitude, dtype), echo_times_s=TIMES, mask=xp_case.asarray(mask))
    xp_case.check(out, dtype, mask.shape)
    wanted = field_noise_from_magnitude(magnitude, echo_times_s=TIMES, mask=mask)
    np.testing.assert_allclose(xp_case.numpy(out), wanted, rtol=1e-3)
    assert xp_case.numpy(out)[0, 0, 0] == 0
