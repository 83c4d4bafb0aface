from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.host.distance import border_distance_mm, depth_mm, edge_distance_mm, within_mm


def test_depth_in_mm():
    mask = np.zeros((9, 9, 9), bool)
    mask[2:7, 2:7, 2:7] = True
    depth = depth_mm(mask, (1.0, 2.0, 3.0))
    assert depth[4, 4, 4] == pytest.approx(3.0)
    assert depth[2, 4, 4] == pytest.approx(1.0)
    assert depth[3, 2, 4] == pytest.approx(2.0)
    assert not depth[~mask].any()


def test_beyond_the_image_is_outside():
    depth = depth_mm(np.ones((5, 5, 5), bool), (1.0, 1.0, 1.0))
    assert depth[0, 2, 2] == 1
    assert depth[2, 2, 2] == 3


def test_only_the_mask_makes_an_edge_where_the_image_ends():
    mask = np.ones((5, 6, 7), bool)
    assert np.isinf(edge_distance_mm(mask, (1.0, 2.0, 3.0))).all()
    mask[0] = False
    np.testing.assert_allclose(edge_distance_mm(mask, (1.5, 2.0, 3.0))[:, 2, 3], [0, 1.5, 3, 4.5, 6])


def test_border_distance():
    distance = border_distance_mm((5, 40, 40), (2.0, 1.0, 1.0))
    np.testing.assert_allclose(distance[:, 20, 20], [2, 4, 6, 4, 2])


@pytest.mark.parametrize("reach_mm", [0.0, 1.0, 4.0, 50.0])
def test_within_a_reach(reach_mm):
    region = np.zeros((12, 9, 14), bool)
    region[3, 4, 5:7] = region[9, 8, 0] = True
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in region.shape), indexing="ij"), axis=-1) * (1.0, 2.0, 1.5)
    nearest = np.linalg.norm(grid[..., None, :] - grid[region], axis=-1).min(axis=-1)
    np.testing.assert_array_equal(within_mm(region, reach_mm, (1.0, 2.0, 1.5)), nearest <= reach_mm)
    assert not within_mm(region & False, reach_mm, (1.0, 2.0, 1.5)).any()
