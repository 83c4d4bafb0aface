from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_msqsm.qsm.background.laplacian import has_neighbours, minus_laplacian
from napari_msqsm.qsm.background.lbv import LbvSettings, lbv

VOXELS = [(1.0, 1.0, 1.0), (2.0, 2.0, 4.0), (1.0, 0.7, 3.0)]


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("voxel", VOXELS)
def test_exact_for_polynomials(axes_mm, voxel, order):
    x, y, z = axes_mm((9, 8, 7), voxel)
    image = x**2 + 3 * y**2 - z**2 + x * y * z + 4 * x
    inner = minus_laplacian(np.asarray(image, float), voxel, order=order)[1:-1, 1:-1, 1:-1]
    np.testing.assert_allclose(inner, -6, atol=1e-9)
    harmonic = np.asarray(x**4 - 6 * x**2 * y**2 + y**4 + x**4 - 6 * x**2 * z**2 + z**4, float)
    inner = minus_laplacian(harmonic, voxel, order=order)[1:-1, 1:-1, 1:-1]
    assert (np.abs(inner).max() < 1e-8) == (order == 4)


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("voxel", VOXELS)
def test_symmetric_and_positive(voxel, order):
    rng = np.random.default_rng(0)
    a, b = (np.pad(rng.standard_normal((6, 5, 7)), 1) for _ in range(2))
    left = np.vdot(a, minus_laplacian(b, voxel, order=order))
    assert left == pytest.approx(np.vdot(minus_laplacian(a, voxel, order=order), b))
    checkerboard = np.pad((-1.0) ** np.indices((6, 5, 7)).sum(0), 1)
    for image in (a, b, checkerboard):
        assert np.vdot(image, minus_laplacian(image, voxel, order=order)) > 0


def test_neighbours_in_the_mask():
    rng = np.random.default_rng(1)
    mask = ndimage.binary_dilation(rng.random((12, 11, 10)) > 0.6)
    for order, connectivity in ((2, 1), (4, 2)):
        wanted = ndimage.binary_erosion(mask, ndimage.generate_binary_structure(3, connectivity))
        assert wanted.any()
        np.testing.assert_array_equal(has_neighbours(mask, order=order), wanted)


def test_fourth_order_leaves_less_of_a_near_source(axes_mm, sphere_field_ppm):
    shape, voxel = (41, 40, 23), (2.0, 2.0, 4.0)
    axes = axes_mm(shape, voxel)
    mask = sum((a / r) ** 2 for a, r in zip(axes, (34, 34, 36), strict=True)) < 1
    background = sphere_field_ppm(axes, (5, 40, -8), 5, 9.0, (0, 0, 1.0))
    left = {}
    for order in (2, 4):
        out = lbv(background, mask=mask, voxel_size_mm=voxel, settings=LbvSettings(order=order, cg_rtol=1e-6))
        left[order] = out.field_hz
        kept = out.mask
    assert np.std(left[4][kept]) < 0.25 * np.std(left[2][kept])
