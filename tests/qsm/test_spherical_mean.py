from __future__ import annotations

import numpy as np
import pytest
from array_api_compat import numpy as xp

from napari_msqsm.qsm.dipole import convolve
from napari_msqsm.qsm.spherical_mean import inside_spheres, sphere_kernel


def harmonic(axes):
    x, y, z = axes
    return 3 + 0.2 * x - 0.1 * z + 0.01 * (x * x - z * z) + 0.02 * x * y + 0.001 * (x**3 - 3 * x * y * y)


@pytest.mark.parametrize("voxel", [(1.0, 1.0, 1.0), (1.0, 1.3, 2.0)])
@pytest.mark.parametrize("radius", [2.5, 5.0])
def test_a_harmonic_field_equals_its_mean(axes_mm, voxel, radius):
    shape = (33, 30, 21)
    field = np.asarray(harmonic(axes_mm(shape, voxel)))
    mean = convolve(field, sphere_kernel(shape, voxel, radius, like=field))
    inner = tuple(slice(int(np.ceil(radius / s)) + 1, -int(np.ceil(radius / s)) - 1) for s in voxel)
    assert np.abs(mean - field)[inner].max() < 5e-3 * np.ptp(field)
    x, y, z = axes_mm(shape, voxel)
    other = np.asarray(x**2 + y**2 + z**2, float)  # its Laplacian is 6: the mean over a ball exceeds it by 6 R²/10
    excess = (convolve(other, sphere_kernel(shape, voxel, radius, like=other)) - other)[inner]
    assert excess.mean() == pytest.approx(0.6 * radius**2, rel=0.2)  # partial voxels widen the sphere a little


def test_keeps_a_constant_and_ends_where_the_sphere_ends():
    point = np.zeros((25, 24, 23))
    point[12, 12, 11] = 1
    spread = convolve(point, sphere_kernel(point.shape, (1, 1, 1), 5.0, like=point))
    assert spread.sum() == pytest.approx(1)
    index = np.indices(point.shape)
    distance = np.sqrt(((index - np.array([12, 12, 11])[:, None, None, None]) ** 2).sum(0))
    assert np.abs(spread[distance > 6]).max() < 1e-12
    assert spread[distance < 4].min() == pytest.approx(spread.max())
    assert spread.max() == pytest.approx(3 / (4 * np.pi * 125), rel=0.02)


def test_sphere_larger_than_the_image_folds():
    shape = (7, 30, 5)
    large = sphere_kernel((21, 30, 15), (1, 1, 1), 6.0, like=xp.zeros(1))
    image = np.random.default_rng(0).standard_normal(shape)
    tiled = np.tile(image, (3, 1, 3))
    wanted = convolve(tiled, large)[:7, :, :5]
    np.testing.assert_allclose(convolve(image, sphere_kernel(shape, (1, 1, 1), 6.0, like=image)), wanted, atol=1e-12)


def test_inside_spheres(axes_mm):
    x, y, z = axes_mm((31, 31, 31), (1, 1, 1))
    distance = np.sqrt(x * x + y * y + z * z)
    inner = inside_spheres(distance < 12, sphere_kernel((31, 31, 31), (1, 1, 1), 4.0, like=xp.zeros(1)))
    assert inner[distance < 6.5].all()
    assert not inner[distance > 9].any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_library(xp_case, dtype):
    kernel = sphere_kernel((9, 8, 5), (1.0, 1.0, 2.0), 5.0, like=xp_case.asarray([0.0], dtype))
    xp_case.check(kernel, dtype, (9, 8, 3))
    wanted = sphere_kernel((9, 8, 5), (1.0, 1.0, 2.0), 5.0, like=xp.zeros(1))
    np.testing.assert_allclose(xp_case.numpy(kernel), wanted, atol=2e-6)
    mask = np.zeros((9, 8, 5), bool)
    mask[1:8, 1:7, 1:4] = True
    fits = inside_spheres(
        xp_case.asarray(mask), sphere_kernel((9, 8, 5), (1.0, 1.0, 2.0), 1.5, like=xp_case.asarray([0.0], dtype))
    )
    xp_case.check(fits, "bool", (9, 8, 5))
    assert xp_case.numpy(fits).any()
    assert not xp_case.numpy(fits)[~mask].any()
