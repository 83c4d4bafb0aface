from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_msqsm.qsm.host import weighted_laplacian as on_host
from napari_msqsm.qsm.stencils import (
    at_least_faces,
    gradient,
    gradient_adjoint,
    pairs_inside,
    shrunk,
    weighted_laplacian,
)

sizes = st.tuples(*[st.integers(1, 7)] * 3)
steps = st.tuples(*[st.floats(0.5, 4.0)] * 3)


@settings(max_examples=40, deadline=None)
@given(shape=sizes, voxel=steps, periodic=st.booleans())
def test_adjoint(shape, voxel, periodic):
    rng = np.random.default_rng(0)
    x, g = rng.standard_normal(shape), rng.standard_normal((3, *shape))
    left = sum(np.vdot(a, b) for a, b in zip(gradient(x, voxel, periodic=periodic), g, strict=True))
    assert left == pytest.approx(np.vdot(x, gradient_adjoint(list(g), voxel, periodic=periodic)), abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(shape=sizes, axis=st.integers(0, 2), shift=st.integers(-3, 3))
def test_periodic_differences_move_with_the_image(shape, axis, shift):
    x = np.random.default_rng(0).standard_normal(shape)
    for part, moved in zip(
        gradient(x, (1.0, 2.0, 3.0), periodic=True),
        gradient(np.roll(x, shift, axis), (1.0, 2.0, 3.0), periodic=True),
        strict=True,
    ):
        np.testing.assert_array_equal(moved, np.roll(part, shift, axis))


def test_slope_in_mm(axes_mm):
    x, y, z = axes_mm((5, 6, 7), (1.0, 2.0, 3.0))
    parts = gradient(np.asarray(2.0 * x - 3.0 * y + 0.5 * z), (1.0, 2.0, 3.0))
    np.testing.assert_allclose(parts[0][:-1], 2.0)
    np.testing.assert_allclose(parts[1][:, :-1], -3.0)
    np.testing.assert_allclose(parts[2][:, :, :-1], 0.5)
    for axis, part in enumerate(parts):
        assert not np.take(part, -1, axis=axis).any()


def test_normal_operator_is_minus_the_laplacian(axes_mm):
    x, y, z = axes_mm((7, 7, 7), (1.0, 2.0, 1.5))
    image = np.asarray(x**2 + 3.0 * y**2 - z**2, float)
    minus = gradient_adjoint(gradient(image, (1.0, 2.0, 1.5)), (1.0, 2.0, 1.5))
    np.testing.assert_allclose(minus[1:-1, 1:-1, 1:-1], -(2 + 6 - 2), atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999))
def test_pairs_and_shrinking_against_loops(seed):
    mask = np.random.default_rng(seed).random((4, 5, 3)) < 0.8
    padded = np.pad(mask, 1)
    inner = mask.copy()
    for axis in range(3):
        for shift in (-1, 1):
            inner &= np.roll(padded, shift, axis)[1:-1, 1:-1, 1:-1]
        pair = mask & np.roll(padded, -1, axis)[1:-1, 1:-1, 1:-1]
        np.testing.assert_array_equal(pairs_inside(mask)[axis], pair)
    np.testing.assert_array_equal(shrunk(mask), inner)


def test_neighbours_are_counted():
    mask = np.zeros((4, 5, 3), dtype=bool)
    mask[1, 2, 1] = mask[2, 2, 2] = True
    expected = {(2, 2, 1), (1, 2, 2)}
    assert {tuple(place) for place in np.argwhere(at_least_faces(mask, 2)).tolist()} == expected
    assert at_least_faces(np.ones((3, 3, 3), dtype=bool), 6).sum() == 1  # beyond the image is outside
    assert at_least_faces(mask, 0).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_library(xp_case, dtype):
    image = np.random.default_rng(0).standard_normal((4, 5, 3))
    parts = gradient(xp_case.asarray(image, dtype), (1.0, 2.0, 3.0))
    back = gradient_adjoint(parts, (1.0, 2.0, 3.0))
    xp_case.check(back, dtype, image.shape)
    wanted = gradient_adjoint(gradient(image, (1.0, 2.0, 3.0)), (1.0, 2.0, 3.0))
    np.testing.assert_allclose(xp_case.numpy(back), wanted, atol=1e-5)
    mask = xp_case.asarray(image > -1)
    for out in (*pairs_inside(mask), shrunk(mask), at_least_faces(mask, 2)):
        xp_case.check(out, "bool", image.shape)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("shape", [(7, 6, 5), (1, 6, 5), (7, 1, 5), (4, 3, 1), (2, 2, 2)])
def test_the_weighted_laplacian_is_its_three_factors(xp_case, monkeypatch, shape, periodic, weighted):
    monkeypatch.setattr(on_host, "_SLAB_BYTES", 2 * 4 * shape[1] * shape[2])  # slabs of two planes
    rng = np.random.default_rng(3)
    image = rng.standard_normal(shape)
    weights = [rng.uniform(0, 2, shape) for _ in range(3)] if weighted else None
    parts = gradient(image, (1.0, 1.5, 3.0), periodic=periodic)
    if weights:
        parts = [part * weight for part, weight in zip(parts, weights, strict=True)]
    wanted = gradient_adjoint(parts, (1.0, 1.5, 3.0), periodic=periodic)
    given = None if weights is None else [xp_case.asarray(weight, "float32") for weight in weights]
    out = weighted_laplacian(xp_case.asarray(image, "float32"), given, (1.0, 1.5, 3.0), periodic=periodic)
    xp_case.check(out, "float32", shape)
    np.testing.assert_allclose(xp_case.numpy(out), wanted, rtol=0, atol=3e-6 * max(1.0, np.abs(wanted).max()))
