from __future__ import annotations

import numpy as np
import pytest
from array_api_compat import numpy as xp

from napari_msqsm.qsm.dipole import convolve, dipole_kernel
from napari_msqsm.qsm.harmonic_filter import FilteredDipole, harmonic_filter, neighbour_kernel
from napari_msqsm.qsm.stencils import shrunk

SHAPE, VOXEL, B0 = (26, 25, 20), (1.0, 1.0, 1.5), (0.0, 0.6, 0.8)


@pytest.fixture
def mask(axes_mm):
    x, y, z = axes_mm(SHAPE, VOXEL)
    return (x / 11) ** 2 + (y / 10) ** 2 + (z / 12) ** 2 < 1


def built(mask, **changes):
    options = {"radii_mm": (3.0, 5.0), "neighbours_at_edge": True, "like": xp.zeros(1)}
    return harmonic_filter(mask, VOXEL, **{**options, **changes})


def test_every_voxel_but_the_outermost_layer_takes_the_largest_sphere_that_fits(mask):
    filt = built(mask)
    large, small, edge = filt.regions
    assert large.any()
    assert small.any()
    assert edge.any()
    assert not (large & small).any()
    assert not ((large | small) & edge).any()
    np.testing.assert_array_equal(filt.covered, shrunk(mask))
    only_large = built(mask, radii_mm=(5.0,), neighbours_at_edge=False)
    np.testing.assert_array_equal(only_large.covered, large)


def test_takes_harmonic_fields_away_and_keeps_local_ones(mask, axes_mm):
    filt = built(mask)
    x, y, z = axes_mm(SHAPE, VOXEL)
    background = np.where(mask, 2 + x + 0.1 * (x * x - y * y) + 0.1 * y * z, 0)
    left = filt.apply(background)
    assert np.abs(left).max() < 0.02 * np.ptp(background)
    assert not left[~filt.covered].any()
    spike = np.zeros(SHAPE)
    spike[13, 12, 10] = 1
    assert filt.apply(spike)[13, 12, 10] > 0.95


def test_no_sphere_fits():
    small = np.zeros((9, 9, 9), bool)
    small[3:6, 3:6, 3:6] = True
    assert built(small, radii_mm=(9.0,), neighbours_at_edge=False).kernels == ()


def test_neighbours_are_minus_the_laplacian(axes_mm):
    x, y, z = axes_mm(SHAPE, VOXEL)
    image = np.asarray(x**2 + 2.0 * y**2 - 0.5 * z**2)
    out = image - convolve(image, neighbour_kernel(SHAPE, VOXEL, like=image))
    scale = 2 * sum(1 / s**2 for s in VOXEL)
    np.testing.assert_allclose(out[1:-1, 1:-1, 1:-1], -(2 + 4 - 1) / scale, atol=1e-10)


def test_noise_is_never_smaller(mask):
    noise = np.where(mask, np.random.default_rng(0).uniform(1, 2, SHAPE), 0)
    filt = built(mask)
    out = filt.noise(noise)
    assert (out[filt.covered] >= noise[filt.covered]).all()
    assert (out[filt.covered] < np.sqrt(2.05) * 2).all()
    assert not out[~filt.covered].any()


def test_filtered_dipole_is_the_filter_after_the_dipole_and_has_its_adjoint(mask):
    rng = np.random.default_rng(0)
    filt = built(mask)
    dipole = dipole_kernel(SHAPE, VOXEL, B0, like=xp.zeros(1))
    model = FilteredDipole(dipole, filt)
    a, b = rng.standard_normal((2, *SHAPE))
    forward = model.forward(a)
    np.testing.assert_allclose(forward, filt.apply(convolve(a, dipole)), atol=1e-12)
    assert np.vdot(forward, b) == pytest.approx(np.vdot(a, model.adjoint(b)), rel=1e-10)
    plain = FilteredDipole(dipole, None)
    np.testing.assert_allclose(plain.forward(a), convolve(a, dipole), atol=1e-12)
    np.testing.assert_allclose(plain.adjoint(a), plain.forward(a), atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_library(xp_case, mask, dtype):
    image = np.random.default_rng(0).standard_normal(SHAPE)
    filt = built(xp_case.asarray(mask), like=xp_case.asarray([0.0], dtype))
    out = filt.apply(xp_case.asarray(image, dtype))
    xp_case.check(out, dtype, SHAPE)
    xp_case.check(filt.noise(xp_case.asarray(abs(image), dtype)), dtype, SHAPE)
    np.testing.assert_allclose(xp_case.numpy(out), built(mask).apply(image), atol=1e-5)
    model = FilteredDipole(dipole_kernel(SHAPE, VOXEL, B0, like=xp_case.asarray([0.0], dtype)), filt)
    xp_case.check(model.adjoint(model.forward(xp_case.asarray(image, dtype))), dtype, SHAPE)
