"""Between the file's voxel order and the screen's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from napari_msqsm.model.grid import Grid, reoriented
from napari_msqsm.widgets.display import from_display, to_display, world_from_screen

CODES = ["".join(c) for p in itertools.permutations(("RL", "AP", "SI")) for c in itertools.product(*p)]
AFFINE = np.array([[2.0, 0, 0, -30], [0, 3.0, 0, 20], [0, 0, 4.0, 7], [0, 0, 0, 1]])


@pytest.mark.parametrize("codes", CODES)
def test_every_orientation_gives_one_picture_and_comes_back(asymmetric, codes):
    ras = Grid(asymmetric.shape, AFFINE)
    stored, grid = reoriented(asymmetric, ras, codes)
    placed, reference = to_display(stored, grid), to_display(asymmetric, ras)
    assert np.array_equal(placed.data, reference.data)
    assert placed.scale == pytest.approx((4.0, 3.0, 2.0))
    assert placed.translate == pytest.approx(reference.translate)
    assert np.array_equal(from_display(placed.data, grid), stored)


def test_patient_right_is_at_screen_left_front_at_the_top_and_slices_go_up(asymmetric):
    data = to_display(asymmetric, Grid(asymmetric.shape, AFFINE)).data
    slice_ = data[0]
    assert slice_[0, 0] == asymmetric[2, 3, 0]  # top left: right, front
    assert slice_[-1, -1] == asymmetric[0, 0, 0]  # bottom right: left, back
    assert data[-1, 0, 0] == asymmetric[2, 3, 4]


def test_a_stack_of_echoes_keeps_its_first_axis(asymmetric):
    stack = np.stack([asymmetric, asymmetric + 1000])
    placed = to_display(stack, Grid(asymmetric.shape, AFFINE))
    assert placed.data.shape == (2, 5, 4, 3)
    assert np.array_equal(from_display(placed.data, Grid(asymmetric.shape, AFFINE)), stack)


def test_two_grids_about_one_point_overlap_on_screen():
    c, s = np.cos(np.radians(20)), np.sin(np.radians(20))
    tilted = np.eye(4)
    tilted[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    shape, point = (9, 11, 13), np.array([4.0, -6.0, 20.0])
    centres = []
    for affine in (np.eye(4), tilted):
        moved = affine.copy()
        moved[:3, 3] = point - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
        placed = to_display(np.zeros(shape), Grid(shape, moved))
        centres.append(np.array(placed.translate) + (np.array(placed.data.shape) - 1) / 2 * np.array(placed.scale))
    assert centres[0] == pytest.approx(centres[1])
    assert centres[0] == pytest.approx((20.0, 6.0, -4.0))


@pytest.mark.parametrize("codes", CODES[::5])
@pytest.mark.parametrize("angle_deg", [0.0, 25.0])
def test_a_place_on_the_screen_is_told_in_the_scanner(asymmetric, codes, angle_deg):
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    tilt = np.array([[1, 0, 0, 3], [0, c, -s, 0], [0, s, c, -8], [0, 0, 0, 1]])
    stored, grid = reoriented(asymmetric, Grid(asymmetric.shape, tilt @ AFFINE), codes)
    placed = to_display(stored, grid)
    for index in [(0, 0, 0), (4, 0, 2), (1, 3, 0)]:
        on_screen = np.array(index) * placed.scale + placed.translate
        voxel = np.argwhere(stored == placed.data[index])[0]
        np.testing.assert_allclose(world_from_screen(grid) @ (*on_screen, 1.0), grid.affine @ (*voxel, 1.0), atol=1e-9)
