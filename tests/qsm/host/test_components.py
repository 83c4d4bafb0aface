from __future__ import annotations

import numpy as np

from napari_msqsm.qsm.host.components import best_of_parts, connected_to, filled, largest_part


def test_connected_to_a_seed_or_the_border():
    region = np.zeros((12, 9, 7), bool)
    region[0:2, 4, 3] = True  # touches the border
    region[4:6, 4, 3] = True  # touches the seed
    region[9, 4, 3] = True  # touches nothing
    seed = np.zeros_like(region)
    seed[6, 4, 3] = True
    wanted = region.copy()
    wanted[9] = False
    np.testing.assert_array_equal(connected_to(region, seed), wanted)


def test_touching_by_a_corner_is_not_connected():
    region, seed = np.zeros((7, 7, 7), bool), np.zeros((7, 7, 7), bool)
    region[3, 3, 3] = True
    seed[4, 4, 3] = True
    assert not connected_to(region, seed).any()


def test_best_of_parts():
    mask = np.zeros((7, 1, 1), bool)
    mask[[0, 1, 2, 4, 5]] = True
    first = np.array([1.0, 1.0, 1.0, 5.0, 5.0])
    second = np.array([9.0, 0.0, 0.0, 5.0, 5.0])
    np.testing.assert_array_equal(best_of_parts([first, second], mask), [1, 1, 1, 0, 0])


def test_the_largest_part():
    region = np.zeros((8, 8, 8), bool)
    region[:2, :2, :2] = True
    region[4:, 4:, 4:] = True
    np.testing.assert_array_equal(largest_part(region), np.pad(np.ones((4, 4, 4), bool), ((4, 0),) * 3))
    assert not largest_part(np.zeros((3, 3, 3), bool)).any()


def test_enclosed_holes_are_filled():
    squared = sum(axis**2 for axis in np.ogrid[-8:9, -8:9, -8:9])
    ball, hollow = squared < 49, (squared < 49) & (squared >= 9)
    np.testing.assert_array_equal(filled(hollow), ball)
    channel = hollow.copy()
    channel[8, 8, 8:] = False  # a line of voxels opens the hole
    mended = filled(channel)
    assert mended[(squared < 9) & (np.arange(17)[:, None, None] != 8)].all()
    assert not mended[squared >= 49].any()
