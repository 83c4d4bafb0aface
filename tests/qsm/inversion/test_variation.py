from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.dipole import convolve
from napari_msqsm.qsm.inversion.variation import (
    SplitGradient,
    gradient_power,
    relative_change,
    soft_threshold,
    total_variation,
)
from napari_msqsm.qsm.stencils import gradient, gradient_adjoint

VOXEL = (1.0, 2.0, 0.7)


@pytest.mark.parametrize("shape", [(6, 8, 10), (5, 7, 9)])
def test_power_is_the_spectrum_of_the_periodic_differences(xp_case, shape):
    image = np.random.default_rng(0).standard_normal(shape)
    wanted = gradient_adjoint(gradient(image, VOXEL, periodic=True), VOXEL, periodic=True)
    moved = xp_case.asarray(image)
    power = gradient_power(shape, VOXEL, like=moved)
    xp_case.check(power, "float64", (*shape[:2], shape[2] // 2 + 1))
    np.testing.assert_allclose(xp_case.numpy(convolve(moved, power)), wanted, atol=1e-12)


def test_soft_threshold_is_the_proximal_map_of_the_absolute_value(xp_case):
    values = np.array([-3.0, -0.5, 0.0, 0.4, 2.0])
    out = xp_case.numpy(soft_threshold(xp_case.asarray(values), 0.5))
    np.testing.assert_allclose(out, [-2.5, 0.0, 0.0, 0.0, 1.5])
    for value, found in zip(values, out, strict=True):
        tried = np.linspace(-4, 4, 801)
        assert 0.5 * (found - value) ** 2 + 0.5 * abs(found) <= (0.5 * (tried - value) ** 2 + 0.5 * abs(tried)).min()


def test_total_variation_of_a_block():
    image = np.zeros((6, 6, 6))
    image[2:4, 2:4, 2:4] = 3.0
    faces = gradient(image, (1.0, 2.0, 1.0), periodic=True)
    assert total_variation(faces) == pytest.approx(3 * 4 * 2 * (1 + 0.5 + 1))
    assert total_variation([np.flip(part) for part in faces]) == pytest.approx(total_variation(faces))


def test_relative_change_looks_at_the_mask_alone():
    new, old, mask = np.array([3.0, 4.0, 9.0]), np.array([3.0, 3.0, np.nan]), np.array([True, True, False])
    assert relative_change(new, old, mask) == pytest.approx(1 / 5)
    assert relative_change(0 * new, 0 * new, mask) == 0.0


def test_split_gradient_comes_to_rest_where_copy_and_gradient_agree(xp_case):
    slopes = [xp_case.asarray(np.random.default_rng(axis).standard_normal((4, 3, 5))) for axis in range(3)]
    split = SplitGradient.zeros(slopes[0])
    for _ in range(300):
        split.update(slopes, 0.05)
    for copy, slope in zip(split.copy, slopes, strict=True):
        np.testing.assert_allclose(xp_case.numpy(copy), xp_case.numpy(slope), atol=1e-6)
    for dual in split.dual:
        np.testing.assert_allclose(np.abs(xp_case.numpy(dual)), 0.05, atol=1e-6)  # the subgradient of |·|, scaled
