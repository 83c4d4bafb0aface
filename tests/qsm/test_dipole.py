"""The dipole against closed forms and its laws."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from array_api_compat import numpy as xnp
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_msqsm.qsm.dipole import convolve, dipole_kernel

Z = (0.0, 0.0, 1.0)
OBLIQUE = (0.3, -0.5, np.sqrt(1 - 0.34))


def field_of(chi, voxel=(1.0, 1.0, 1.0), b0=Z):
    return convolve(chi, dipole_kernel(chi.shape, voxel, b0, like=chi))


def unit(vector):
    return np.asarray(vector) / np.linalg.norm(vector)


@pytest.mark.parametrize("b0", [Z, (1.0, 0.0, 0.0), OBLIQUE])
@pytest.mark.parametrize("voxel", [(1.0, 1.0, 1.0), (1.0, 1.25, 1.5)])
def test_sphere(share, axes_mm, b0, voxel):
    shape, radius, chi = (95, 81, 69), 8.0, 0.7
    sphere = chi * share(shape, voxel, lambda x, y, z: x**2 + y**2 + z**2 < radius**2)
    field = field_of(sphere, voxel, b0)
    x, y, z = axes_mm(shape, voxel)
    r2 = x**2 + y**2 + z**2
    cos2 = (x * b0[0] + y * b0[1] + z * b0[2]) ** 2 / np.where(r2 == 0, 1, r2)
    shell = (r2 > (radius + 2) ** 2) & (r2 < 20**2)
    wanted = chi / 3 * (radius**2 / np.where(r2 == 0, 1, r2)) ** 1.5 * (3 * cos2 - 1)
    assert np.abs(field - wanted)[shell].max() < 0.035 * chi
    assert np.abs(field[r2 < (radius - 2) ** 2]).max() < 0.025 * chi


def test_paramagnetic_sphere_has_a_positive_field_on_its_axis(share):
    field = field_of(share((41, 41, 41), (1, 1, 1), lambda x, y, z: x**2 + y**2 + z**2 < 16))
    assert field[20, 20, 27] > 0.1
    assert field[27, 20, 20] < -0.05


@pytest.mark.parametrize(
    ("b0", "inside"),
    [
        ((0.0, 0.0, 1.0), 1 / 3),
        ((1.0, 0.0, 0.0), -1 / 6),
        ((np.sqrt(2 / 3), 0.0, np.sqrt(1 / 3)), 0.0),
        ((0.5, 0.0, np.sqrt(0.75)), (3 * 0.75 - 1) / 6),
    ],
)
def test_cylinder_along_z(share, axes_mm, b0, inside):
    shape, radius, chi = (129, 129, 5), 7.0, 1.0
    cylinder = chi * share(shape, (1, 1, 1), lambda x, y, z: (x**2 + y**2 < radius**2) & (z > -100), parts=5)
    field = field_of(cylinder, b0=b0)
    x, y, _ = axes_mm(shape, (1, 1, 1))
    r2 = (x**2 + y**2)[..., 0]
    middle = field[:, :, 2]
    assert np.abs(middle[r2 < (radius - 2) ** 2] - inside).max() < 0.02
    sin2 = b0[0] ** 2
    cos2phi = 2 * (x[..., 0] ** 2 + 0 * y[..., 0]) / np.where(r2 == 0, 1, r2) - 1
    ring = (r2 > (radius + 2) ** 2) & (r2 < 20**2)
    wanted = chi / 2 * sin2 * radius**2 / np.where(r2 == 0, 1, r2) * cos2phi
    assert np.abs(middle - wanted)[ring].max() < 0.02


sizes = st.tuples(*[st.integers(2, 9)] * 3)
steps = st.tuples(*[st.floats(0.5, 4.0)] * 3)
directions = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1).map(unit)


@settings(max_examples=40, deadline=None)
@given(shape=sizes, voxel=steps, b0=directions, seed=st.integers(0, 99))
def test_self_adjoint_linear_and_without_a_mean(shape, voxel, b0, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, *shape))
    da, db = field_of(a, voxel, b0), field_of(b, voxel, b0)
    assert np.vdot(a, db) == pytest.approx(np.vdot(da, b), abs=1e-10 * a.size)
    np.testing.assert_allclose(field_of(2 * a - 3 * b, voxel, b0), 2 * da - 3 * db, atol=1e-12)
    assert abs(da.sum()) < 1e-10 * a.size
    np.testing.assert_allclose(field_of(np.full(shape, 5.0), voxel, b0), 0, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(shape=sizes, voxel=steps, b0=directions, order=st.permutations([0, 1, 2]), axis=st.integers(0, 2))
def test_permuting_and_flipping_axes(shape, voxel, b0, order, axis):
    chi = np.random.default_rng(1).standard_normal(shape)
    field = field_of(chi, voxel, b0)
    permuted = field_of(chi.transpose(order), tuple(voxel[a] for a in order), [b0[a] for a in order])
    np.testing.assert_allclose(permuted, field.transpose(order), atol=1e-12)
    mirrored = [-c if a == axis else c for a, c in enumerate(b0)]
    np.testing.assert_allclose(np.flip(field_of(np.flip(chi, axis), voxel, mirrored), axis), field, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(shape=sizes, voxel=steps, b0=directions)
def test_half_spectrum_is_the_full_one_averaged_over_the_signs_of_nyquist_components(shape, voxel, b0):
    freq = np.meshgrid(*(np.fft.fftfreq(n, s) for n, s in zip(shape, voxel, strict=True)), indexing="ij")
    squared = sum(k**2 for k in freq)
    nyquist = [np.isclose(np.abs(k) * s, 0.5) for k, s in zip(freq, voxel, strict=True)]
    full = np.zeros(shape)
    for signs in itertools.product((1, -1), repeat=3):
        turned = [np.where(ny, sign * k, k) for k, ny, sign in zip(freq, nyquist, signs, strict=True)]
        parallel = sum(k * b for k, b in zip(turned, b0, strict=True))
        full += np.where(squared == 0, 0, 1 / 3 - parallel**2 / np.where(squared == 0, 1, squared)) / 8
    half = dipole_kernel(shape, voxel, tuple(b0), like=xnp.zeros(1))
    np.testing.assert_allclose(half, full[..., : shape[2] // 2 + 1], atol=1e-12)
    chi = np.random.default_rng(0).standard_normal(shape)
    np.testing.assert_allclose(convolve(chi, half), np.fft.ifftn(np.fft.fftn(chi) * full).real, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_library(xp_case, dtype):
    chi = np.random.default_rng(0).standard_normal((6, 5, 8))
    given_chi = xp_case.asarray(chi, dtype)
    kernel = dipole_kernel((6, 5, 8), (1.0, 2.0, 3.0), OBLIQUE, like=given_chi)
    xp_case.check(kernel, dtype, (6, 5, 5))
    field = convolve(given_chi, kernel)
    xp_case.check(field, dtype, (6, 5, 8))
    np.testing.assert_allclose(xp_case.numpy(field), field_of(chi, (1.0, 2.0, 3.0), OBLIQUE), atol=1e-6)
