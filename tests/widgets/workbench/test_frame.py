"""Places on the screen, voxels, positions at the baseline."""

from __future__ import annotations

from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.widgets.display import to_display
from napari_msqsm.widgets.workbench.frame import Frame
from napari_msqsm.widgets.workbench.places import is_in_view, voxels_of, widest_place

SHAPE = (3, 4, 5)
ALL_CODES = [
    "".join(pair[way] for pair, way in zip(axes, ways, strict=True))
    for axes in permutations(("LR", "PA", "IS"))
    for ways in product((0, 1), repeat=3)
]


def grid_of(codes, turn_deg=0.0):
    turn = np.radians(turn_deg)
    about_x = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
    axes = nib.orientations.inv_ornt_aff(nib.orientations.axcodes2ornt(tuple(codes)), SHAPE)[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = about_x @ axes @ np.diag([1.0, 2.0, 3.0])
    affine[:3, 3] = (10.0, -20.0, 7.0)
    return Grid(SHAPE, affine)


@pytest.mark.parametrize("codes", ALL_CODES)
def test_voxels_are_where_napari_draws_them(codes):
    grid = grid_of(codes, 12.0)
    frame = Frame(grid)
    numbers = np.arange(60).reshape(SHAPE)
    placed = to_display(numbers, grid)
    for index in np.ndindex(placed.data.shape):
        point = np.array(index) * placed.scale + placed.translate
        voxel = frame.voxel(point)
        np.testing.assert_allclose(voxel, np.round(voxel), atol=1e-9)
        assert numbers[tuple(np.round(voxel).astype(int))] == placed.data[index]
        np.testing.assert_allclose(frame.screen(voxel), point, atol=1e-9)
        np.testing.assert_allclose(frame.screen_of_index(index), point, atol=1e-9)
    for axis in range(3):
        step = np.zeros(3)
        step[axis] = 1.0
        moved = frame.voxel(point + step) - frame.voxel(point)
        assert np.argmax(np.abs(moved)) == frame.voxel_axis(axis) == frame.voxel_axis(axis - 3)


def test_a_place_is_the_same_point_of_the_patient_on_both_grids():
    move = np.eye(4)
    move[:3, 3] = (2.0, -3.0, 4.0)
    at_baseline, on_flair = Frame(grid_of("RAS")), Frame(grid_of("LPI", 20.0), AffineTransform(move))
    point = np.array([6.0, -1.0, 0.5])
    place = at_baseline.at_baseline(point)
    there = on_flair.from_baseline(place)
    np.testing.assert_allclose(on_flair.at_baseline(there), place, atol=1e-9)
    in_scanner = on_flair.grid.affine @ np.append(on_flair.voxel(there), 1.0)
    np.testing.assert_allclose(in_scanner[:3], place + move[:3, 3], atol=1e-9)


def test_the_widest_slice_of_a_region():
    voxels = np.array([(1, 1, 0), (1, 1, 1), (1, 2, 1), (2, 1, 1), (1, 1, 2)])
    np.testing.assert_allclose(widest_place(voxels, 2), (4 / 3, 4 / 3, 1))
    np.testing.assert_array_equal(voxels_of(np.array([0, 59]), SHAPE), [(0, 0, 0), (2, 3, 4)])


@pytest.mark.parametrize("codes", ["RAS", "LPI", "SRA"])
def test_what_is_on_the_screen(codes):
    grid = grid_of(codes)
    frame = Frame(grid)
    axis = frame.voxel_axis(0)
    middle = np.array([1, 2, 2])
    n = np.array(to_display(np.zeros(SHAPE), grid).data.shape)
    whole = np.array([(0, 0, 0), n - 1], dtype=float)
    assert is_in_view(middle[None], frame, axis, frame.screen(middle), whole)
    away = middle.copy()
    away[axis] -= 1
    assert not is_in_view(away[None], frame, axis, frame.screen(middle), whole)
    corner = np.array([(0, 0, 0), (0, 0, 0)], dtype=float)
    assert not is_in_view(middle[None], frame, axis, frame.screen(middle), corner)
