"""Parts of comparisons, computed when they are asked for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.workflow.inspect_pair.nudge import turned
from napari_msqsm.workflow.inspect_pair.pictures import PairPictures

ALL = slice(None)
WHOLE = (ALL, ALL, ALL)
PLANES = [(slice(7, 8), ALL, ALL), (ALL, slice(9, 10), ALL), (ALL, ALL, slice(5, 6))]
MOTION = turned(AffineTransform.identity(), (1, 2, 3), 9.0, (20.0, 20.0, 15.0))


def head(points):
    """A smooth head without symmetry, as a function of position in mm."""
    x, y, z = np.moveaxis(points - (20.0, 24.0, 16.0), -1, 0)
    skull = 1.0 / (1.0 + np.exp(np.sqrt((x / 14) ** 2 + (y / 18) ** 2 + (z / 11) ** 2) * 6 - 6))
    return 100.0 * skull + 60.0 * np.exp(-((x - 5) ** 2 + (y + 6) ** 2 + (z - 2) ** 2) / 60.0)


def positions(grid):
    index = np.moveaxis(np.indices(grid.shape), 0, -1)
    return index @ grid.affine[:3, :3].T + grid.affine[:3, 3]


def left_over(pair):
    return np.quantile(np.abs(pair.difference(WHOLE)), 0.995)


@pytest.fixture(scope="module")
def pair():
    """The head on an oblique grid, and on another one with other voxels, where it has moved."""
    tilt = turned(AffineTransform.identity(), (1, 0, 0), 12.0, (20.0, 24.0, 16.0)).matrix
    grid = Grid((41, 37, 23), tilt @ np.diag([1.0, 1.3, 1.5, 1.0]))
    moving_grid = Grid((52, 61, 47), [[-0.9, 0, 0, 43.0], [0, 0.9, 0, -3.0], [0, 0, 0.9, -4.0], [0, 0, 0, 1]])
    fixed = head(positions(grid)).astype(np.float32)
    moving = (3.0 * head(MOTION.inverse().apply(positions(moving_grid)))).astype(np.float32)
    return PairPictures(fixed, grid, moving, moving_grid, MOTION)


def test_under_the_right_transform_the_images_lie_on_each_other(pair):
    moved = pair.moved(WHOLE)
    seen = np.isfinite(moved)
    assert seen.mean() > 0.8
    assert np.abs(moved[seen] / 3.0 - pair.fixed[seen]).max() < 1.5
    assert left_over(pair) < 0.02


def test_the_moving_image_is_not_blurred():
    """Halfway between voxels, where linear interpolation takes a quarter of this texture away."""
    grid = Grid((40, 40, 40), np.eye(4))
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=grid.shape), 0.8).astype(np.float32)
    shift = AffineTransform([[1, 0, 0, 0.5], [0, 1, 0, 0.5], [0, 0, 1, 0.5], [0, 0, 0, 1]])
    inner = (slice(5, 35),) * 3
    assert PairPictures(noise, grid, noise, grid, shift).moved(inner).std() > 0.9 * noise[inner].std()
    assert ndimage.shift(noise, -0.5, order=1)[inner].std() < 0.8 * noise[inner].std()


@pytest.mark.parametrize("box", PLANES)
def test_a_plane_is_a_plane_of_the_volume(pair, box):
    for picture in (pair.moved, pair.difference, lambda part: pair.checkerboard(part, 10.0)):
        np.testing.assert_allclose(picture(box), picture(WHOLE)[box], atol=1e-3)
    assert pair.edges(box).shape == pair.fixed[box].shape


def test_a_new_transform_is_seen_at_once_and_taken_back_without_a_trace(pair):
    before, at_first = pair.moved(WHOLE), left_over(pair)
    pair.transform = AffineTransform.identity()
    assert left_over(pair) > 4 * at_first
    pair.transform = MOTION
    np.testing.assert_array_equal(pair.moved(WHOLE), before)


def test_outside_the_moving_image_the_board_is_black(pair):
    pair.transform = AffineTransform(np.eye(4) + np.array([[0, 0, 0, 500.0], *np.zeros((3, 4))]))
    assert not np.isfinite(pair.moved(WHOLE)).any()
    first, second = pair.brightness(WHOLE)
    assert not second.any()
    board = pair.checkerboard(WHOLE, 10.0)
    assert np.all((board == 0) | (board == first))
    assert not pair.difference(WHOLE).any()
    pair.transform = MOTION


def test_the_middle_of_the_grid(pair):
    middle = positions(pair.grid)[20, 18, 11]
    np.testing.assert_allclose(pair.centre_mm, middle, atol=1e-9)
