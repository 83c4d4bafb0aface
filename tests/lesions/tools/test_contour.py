"""Contours."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.lesions.tools.contour import contour_voxels

SHAPE = (24, 20, 18)


def _in_slice(points, axis, position):
    return np.insert(np.asarray(points, float), axis, position, axis=1)


def test_a_circle_encloses_the_centres_within_it(painted):
    for axis in range(3):
        turn = np.linspace(0, 2 * np.pi, 400)
        circle = _in_slice(np.stack([9.2 + 5.3 * np.cos(turn), 8.1 + 5.3 * np.sin(turn)], axis=1), axis, 4.3)
        found = painted(SHAPE, contour_voxels(SHAPE, circle, axis=axis))
        u, v = np.delete(np.indices(SHAPE), axis, axis=0)
        wanted = ((u - 9.2) ** 2 + (v - 8.1) ** 2 < 5.3**2) & (np.indices(SHAPE)[axis] == 4)
        assert np.array_equal(found, wanted)


def test_it_closes_itself_and_vertices_may_repeat(painted):
    open_, repeated = [(2.5, 2.5), (9.5, 2.5), (9.5, 7.5), (2.5, 7.5)], []
    for corner in [*open_, open_[0]]:
        repeated += [corner, corner]
    found = [painted(SHAPE, contour_voxels(SHAPE, _in_slice(points, 2, 3), axis=2)) for points in (open_, repeated)]
    assert np.array_equal(found[0], found[1])
    assert np.count_nonzero(found[0]) == 7 * 5
    assert found[0][3:10, 3:8, 3].all()


def test_what_is_enclosed_twice_lies_outside(painted):
    outer = [(1.5, 1.5), (12.5, 1.5), (12.5, 12.5), (1.5, 12.5), (1.5, 1.5)]
    inner = [(4.5, 4.5), (8.5, 4.5), (8.5, 8.5), (4.5, 8.5), (4.5, 4.5)]
    found = painted(SHAPE, contour_voxels(SHAPE, _in_slice(outer + inner, 2, 5), axis=2))
    assert np.count_nonzero(found) == 11 * 11 - 4 * 4
    assert not found[6, 6, 5]


def test_areas_that_share_an_edge_share_no_voxel():
    """Also where the edge goes through centres of voxels."""
    left = contour_voxels(SHAPE, _in_slice([(2, 2), (6, 2), (6, 9), (2, 9)], 2, 5), axis=2)
    right = contour_voxels(SHAPE, _in_slice([(6, 2), (11, 2), (11, 9), (6, 9)], 2, 5), axis=2)
    both = contour_voxels(SHAPE, _in_slice([(2, 2), (11, 2), (11, 9), (2, 9)], 2, 5), axis=2)
    assert np.intersect1d(left, right).size == 0
    assert np.array_equal(np.union1d(left, right), both)


def test_only_what_lies_in_the_image_is_painted(painted):
    found = painted(SHAPE, contour_voxels(SHAPE, _in_slice([(-50, -50), (50, -50), (50, 50), (-50, 50)], 0, 7), axis=0))
    assert np.count_nonzero(found) == SHAPE[1] * SHAPE[2]
    assert contour_voxels(SHAPE, _in_slice([(1, 1), (5, 1), (5, 5)], 2, 99), axis=2).size == 0


def test_what_encloses_nothing_paints_nothing():
    assert contour_voxels(SHAPE, np.empty((0, 3)), axis=2).size == 0
    assert contour_voxels(SHAPE, [(3, 3, 3)], axis=2).size == 0
    assert contour_voxels(SHAPE, _in_slice([(3.2, 3.2), (3.4, 3.2), (3.3, 3.4)], 2, 5), axis=2).size == 0


@pytest.mark.parametrize("vertices", [[(1, 2)], [(1.0, 2.0, np.nan)], [[(1, 2, 3)]]])
def test_what_is_no_list_of_positions_is_refused(vertices):
    with pytest.raises(ParameterError, match="list of finite positions"):
        contour_voxels(SHAPE, vertices, axis=2)
