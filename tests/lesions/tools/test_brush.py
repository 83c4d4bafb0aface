"""Brush in mm."""

from __future__ import annotations

import time

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.lesions.tools.brush import brush_voxels


def _capsule(shape, size, start, end, radius):
    """Distance of every voxel to a piece of a line, the long way."""
    points = np.stack(np.indices(shape), axis=-1) * np.asarray(size)
    first, last = np.asarray(start) * size, np.asarray(end) * size
    at = np.clip((points - first) @ (last - first) / max((last - first) @ (last - first), 1e-12), 0, 1)
    return np.linalg.norm(points - first - at[..., None] * (last - first), axis=-1) <= radius


def test_paints_what_lies_within_the_radius_of_the_way(voxel_size_mm, painted):
    shape, start, end = (40, 36, 30), (12.2, 14.1, 12.4), (22.7, 17.9, 15.3)
    found = painted(shape, brush_voxels(shape, voxel_size_mm, start, end, radius_mm=4.2))
    assert np.array_equal(found, _capsule(shape, voxel_size_mm, start, end, 4.2))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_stays_in_the_slice_where_it_starts(axis, voxel_size_mm, painted):
    shape, start, end = (30, 31, 32), np.array((12.2, 14.1, 12.4)), np.array((17.7, 17.9, 15.3))
    found = painted(shape, brush_voxels(shape, voxel_size_mm, start, end, radius_mm=3.5, axis=axis))
    start[axis] = end[axis] = round(start[axis])
    wanted = _capsule(shape, voxel_size_mm, start, end, 3.5)
    wanted &= np.indices(shape)[axis] == start[axis]
    assert np.array_equal(found, wanted)


def test_a_fine_brush_paints_the_voxel_under_it_and_leaves_no_gap(voxel_size_mm, painted):
    shape = (20, 20, 20)
    dab = painted(shape, brush_voxels(shape, voxel_size_mm, (5.4, 6.4, 7.4), radius_mm=0.01))
    assert np.array_equal(np.argwhere(dab), [[5, 6, 7]])
    way = painted(shape, brush_voxels(shape, voxel_size_mm, (1, 1, 7), (16, 9, 7), radius_mm=0.01, axis=2))
    assert way[1, 1, 7]
    assert way[16, 9, 7]
    assert np.array_equal(np.flatnonzero(way.any(axis=(1, 2))), np.arange(1, 17))


def test_order_and_direction_of_axes_do_not_matter(painted):
    shape, size, start, end = (21, 17, 9), (0.75, 1.0, 3.0), (5.1, 6.3, 3.2), (14.2, 9.1, 5.1)
    wanted = painted(shape, brush_voxels(shape, size, start, end, radius_mm=4.0))
    order = (2, 0, 1)
    turned = painted(
        [shape[i] for i in order],
        brush_voxels(
            [shape[i] for i in order],
            [size[i] for i in order],
            [start[i] for i in order],
            [end[i] for i in order],
            radius_mm=4.0,
        ),
    )
    assert np.array_equal(turned, wanted.transpose(order))
    flipped = painted(shape, brush_voxels(shape, size, (20 - 5.1, *start[1:]), (20 - 14.2, *end[1:]), radius_mm=4.0))
    assert np.array_equal(flipped, wanted[::-1])


def test_beyond_the_image_there_is_nothing_to_paint(painted):
    shape = (12, 12, 12)
    assert brush_voxels(shape, (1, 1, 1), (-9, 5, 5), (-4, 5, 5), radius_mm=2).size == 0
    assert brush_voxels(shape, (1, 1, 1), (5, 5, 40), radius_mm=2, axis=2).size == 0
    half = painted(shape, brush_voxels(shape, (1, 1, 1), (-9, 5, 5), (3, 5, 5), radius_mm=2))
    assert np.array_equal(np.flatnonzero(half[:, 5, 5]), np.arange(6))


@pytest.mark.parametrize("radius_mm", [0.0, -1.0, np.nan, np.inf])
def test_a_brush_without_a_size_is_refused(radius_mm):
    with pytest.raises(ParameterError, match="above 0"):
        brush_voxels((9, 9, 9), (1, 1, 1), (4, 4, 4), radius_mm=radius_mm)


def test_an_axis_that_is_none_is_refused():
    with pytest.raises(ParameterError, match="axis 3"):
        brush_voxels((9, 9, 9), (1, 1, 1), (4, 4, 4), radius_mm=1, axis=3)


def test_a_large_brush_is_quick():
    began = time.process_time()
    found = brush_voxels((240, 256, 176), (1, 1, 1), (100, 100, 80), (115, 110, 80), radius_mm=15)
    assert found.size > 14_000
    assert time.process_time() - began < 0.1
