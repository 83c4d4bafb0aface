from __future__ import annotations

import numpy as np

from napari_msqsm.qsm.host.components import best_of_parts, connected_to


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
