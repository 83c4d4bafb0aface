"""Grids: orientation, position in the scanner, direction of B0."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from napari_msqsm.errors import MetadataError, ShapeMismatchError
from napari_msqsm.model.grid import Grid, reoriented

CODES = [
    "".join(letters) for order in itertools.permutations(("RL", "AP", "SI")) for letters in itertools.product(*order)
]
SHAPE = (3, 4, 5)


def rotations():
    return st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1).map(Rotation.from_quat)


def voxel_sizes():
    return st.tuples(*[st.floats(0.2, 5)] * 3)


def has_clear_axes(rotation):
    """Whether every voxel axis is nearest to one anatomical axis, so that its letter is not a matter of rounding."""
    parts = np.sort(np.abs(rotation.as_matrix()), axis=0)
    return bool(np.all(parts[2] - parts[1] > 0.05))


def affine_of(rotation, size_mm=(1.0, 1.0, 1.0), origin_mm=(0.0, 0.0, 0.0)):
    affine = np.eye(4)
    affine[:3, :3] = rotation.as_matrix() @ np.diag(size_mm)
    affine[:3, 3] = origin_mm
    return affine


def test_there_are_48_orientations():
    assert len(set(CODES)) == 48


@given(rotation=rotations(), size_mm=voxel_sizes(), codes=st.sampled_from(CODES), flip=st.booleans())
def test_reorienting_there_and_back_changes_nothing(rotation, size_mm, codes, flip):
    assume(has_clear_axes(rotation))
    affine = affine_of(rotation, (-size_mm[0] if flip else size_mm[0], *size_mm[1:]), (3.0, -7.0, 11.0))
    grid = Grid(SHAPE, affine)
    array = np.arange(2 * 60).reshape(2, *SHAPE)
    moved, moved_grid = reoriented(array, grid, codes)
    back, back_grid = reoriented(moved, moved_grid, grid.axis_codes)
    assert moved_grid.axis_codes == codes
    assert np.array_equal(back, array)
    assert back_grid.same_as(grid, tolerance_mm=1e-9)


@pytest.mark.parametrize("start", ["RAS", "PIL", "SRA"])
@pytest.mark.parametrize("codes", CODES)
def test_marked_voxel_stays_where_it_is_in_the_scanner(codes, start):
    tilted = affine_of(Rotation.from_euler("xyz", [20, -10, 5], degrees=True), (0.5, 1.0, 2.0), (-30, 20, 5))
    array = np.zeros(SHAPE)
    array[2, 1, 3] = 1.0
    array, grid = reoriented(array, Grid(SHAPE, tilted), start)
    before = grid.affine @ (*np.argwhere(array)[0], 1)
    moved, moved_grid = reoriented(array, grid, codes)
    after = moved_grid.affine @ (*np.argwhere(moved)[0], 1)
    assert moved.shape == moved_grid.shape
    np.testing.assert_allclose(after, before, atol=1e-9)


@given(rotation=rotations(), size_mm=voxel_sizes())
def test_b0_runs_along_the_scanner_axis(rotation, size_mm):
    grid = Grid(SHAPE, affine_of(rotation, size_mm))
    np.testing.assert_allclose(grid.b0_direction, rotation.as_matrix().T @ (0, 0, 1), atol=1e-9)
    np.testing.assert_allclose(grid.voxel_size_mm, size_mm)
    assert grid.voxel_volume_mm3 == pytest.approx(np.prod(size_mm))


@given(rotation=rotations(), codes=st.sampled_from(CODES))
def test_b0_is_the_same_physical_direction_after_reorienting(rotation, codes):
    assume(has_clear_axes(rotation))
    grid = Grid(SHAPE, affine_of(rotation, (1.0, 2.0, 3.0)))
    _, moved = reoriented(np.zeros(SHAPE), grid, codes)
    unit = moved.affine[:3, :3] / np.linalg.norm(moved.affine[:3, :3], axis=0)
    np.testing.assert_allclose(unit @ moved.b0_direction, (0, 0, 1), atol=1e-9)


def test_same_as_looks_at_the_far_corner():
    shape = (200, 200, 200)
    affine = np.eye(4)
    turned = affine_of(Rotation.from_euler("z", 1e-4))
    rounded = affine_of(Rotation.from_euler("z", 1e-5))
    shifted = affine_of(Rotation.identity(), origin_mm=(0.0, 0.0, 0.02))
    assert Grid(shape, affine).same_as(Grid(shape, rounded))
    assert not Grid(shape, affine).same_as(Grid(shape, turned))
    assert not Grid(shape, affine).same_as(Grid(shape, shifted))
    assert Grid(shape, affine).same_as(Grid(shape, shifted), tolerance_mm=0.1)
    assert not Grid(shape, affine).same_as(Grid((200, 200, 199), affine))


def test_equal_grids_hash_alike_and_cannot_be_changed():
    one, other = Grid(SHAPE, np.eye(4)), Grid(SHAPE, np.eye(4))
    assert one == other
    assert hash(one) == hash(other)
    assert one != Grid(SHAPE, np.diag((1, 1, 2, 1)))
    with pytest.raises(ValueError, match="read-only"):
        one.affine[0, 0] = 2


def test_affine_given_is_copied():
    affine = np.eye(4)
    grid = Grid(SHAPE, affine)
    affine[0, 0] = 9
    assert grid.voxel_size_mm == (1, 1, 1)


@pytest.mark.parametrize(
    ("affine", "word"),
    [
        (np.diag((0, 0, 0, 1)), "no inverse"),
        (np.diag((1, 1, 0, 1)), "no inverse"),
        ([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], "no inverse"),
        ([[1, 0.1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], "sheared"),
        (np.full((4, 4), np.nan), "finite"),
        (np.eye(3), "4×4"),
        ([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 2]], "last row"),
    ],
)
def test_impossible_affines_are_refused(affine, word):
    with pytest.raises(MetadataError, match=word):
        Grid(SHAPE, affine)


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 5, 6)])
def test_other_than_three_axes_are_refused(shape):
    with pytest.raises(ShapeMismatchError, match="3 axes"):
        Grid(shape, np.eye(4))
