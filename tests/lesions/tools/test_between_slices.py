"""Slices between drawn ones."""

from __future__ import annotations

import time

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.lesions.tools.between_slices import fill_between_slices


def _drawn(solid, axis, step, first=0):
    """Every ``step``-th slice of a solid, as label 4."""
    keep = (np.indices(solid.shape)[axis] - first) % step == 0
    return np.where(solid & keep, 4, 0).astype(np.uint16)


def _whole(labels, found):
    out = labels == 4
    out.ravel()[found.index] = True
    return out


def test_an_ellipsoid_drawn_on_some_slices_is_restored(voxel_size_mm, ellipsoid, dice):
    """Every third slice, every second one of 3 mm. Straight between slices, so a little is lost of what is round."""
    for axis in range(3):
        shape = tuple(int(44 / size) for size in voxel_size_mm)
        centre = np.array(shape) / 2
        radii = np.array([13.0, 15.0, 11.0])
        solid = ellipsoid(shape, voxel_size_mm, centre, radii)
        slices = np.flatnonzero(np.moveaxis(solid, axis, 0).any(axis=(1, 2)))
        coarse = voxel_size_mm[axis] == 3
        labels = _drawn(solid, axis, 2 if coarse else 3, first=slices[0])
        last = np.flatnonzero(np.moveaxis(labels, axis, 0).any(axis=(1, 2)))[-1]
        between = solid & (np.indices(shape)[axis] <= last)
        found = fill_between_slices(labels, 4, axis=axis, voxel_size_mm=voxel_size_mm)
        whole = _whole(labels, found)
        assert found.unmatched_parts == 0
        assert dice(whole, between) > (0.9 if coarse else 0.97)
        assert np.count_nonzero(whole) == pytest.approx(np.count_nonzero(between), rel=0.12 if coarse else 0.04)


def test_an_oblique_cylinder_keeps_its_course_and_its_width():
    """45° and steeper: the discs of drawn slices do not overlap."""
    shape, size = (80, 40, 25), (0.75, 0.75, 3.0)
    x, y, z = np.indices(shape)
    for slope in (2.0, 4.0, 7.0):
        course = 6 + slope / 2 * z
        solid = ((x - course) * 0.75) ** 2 + ((y - 20) * 0.75) ** 2 <= 4.0**2
        solid &= course < 72
        labels = _drawn(solid, 2, 3)
        found = fill_between_slices(labels, 4, axis=2, voxel_size_mm=size)
        whole = _whole(labels, found)
        for position in found.slices:
            there = np.argwhere(whole[:, :, position])
            assert there.mean(axis=0) == pytest.approx([course[0, 0, position], 20], abs=0.5)
            assert len(there) == pytest.approx(np.count_nonzero(solid[:, :, position]), rel=0.12)


def test_several_parts_and_holes_are_kept(dice):
    shape = (60, 60, 13)
    x, y, _ = np.indices(shape)
    tube = np.hypot(x - 18, y - 18) <= 9
    tube &= np.hypot(x - 18, y - 18) > 4
    rod = np.hypot(x - 44, y - 40) <= 6
    found = fill_between_slices(_drawn(tube | rod, 2, 4), 4, axis=2, voxel_size_mm=(1, 1, 1))
    assert np.array_equal(_whole(_drawn(tube | rod, 2, 4), found), tube | rod)


def test_parts_that_moved_apart_find_their_own(dice):
    """Two rods side by side, both shifted by more than their width."""
    labels = np.zeros((70, 50, 9), np.uint16)
    x, y = np.indices((70, 50))
    for position, at in ((0, 10), (8, 26)):
        labels[..., position][np.hypot(x - at, y - 12) <= 5] = 4
        labels[..., position][np.hypot(x - at, y - 34) <= 6] = 4
    found = fill_between_slices(labels, 4, axis=2, voxel_size_mm=(1, 1, 2))
    middle = _whole(labels, found)[..., 4]
    wanted = (np.hypot(x - 18, y - 12) <= 5) | (np.hypot(x - 18, y - 34) <= 6)
    assert dice(middle, wanted) > 0.97


def test_a_part_without_a_counterpart_ends_where_it_was_drawn():
    labels = np.zeros((60, 60, 5), np.uint16)
    labels[5:12, 5:12, 0] = labels[5:12, 5:12, 4] = 4
    labels[45:52, 45:52, 0] = 4
    found = fill_between_slices(labels, 4, axis=2, voxel_size_mm=(1, 1, 1))
    assert found.unmatched_parts == 1
    assert found.slices == (1, 2, 3)
    whole = _whole(labels, found)
    assert whole[5:12, 5:12].all()
    assert not whole[45:52, 45:52, 1:].any()


def test_a_lesion_that_divides_is_followed_into_both_parts():
    labels = np.zeros((50, 30, 7), np.uint16)
    labels[10:40, 10:20, 0] = 4
    labels[10:20, 10:20, 6] = labels[30:40, 10:20, 6] = 4
    found = fill_between_slices(labels, 4, axis=2, voxel_size_mm=(1, 1, 1))
    whole = _whole(labels, found)
    assert found.unmatched_parts == 0
    assert whole[11:19, 11:19].all()
    assert whole[31:39, 11:19].all()
    assert np.array_equal(whole[25, 15], [True] * 4 + [False] * 3)


def test_other_lesions_and_drawn_slices_stay_as_they_are(painted):
    labels = np.zeros((30, 30, 9), np.uint16)
    labels[8:20, 8:20, 0] = labels[8:20, 8:20, 8] = labels[8:10, 8:10, 4] = 4
    labels[8:14, :, 2:7] = np.where(labels[8:14, :, 2:7] == 4, 4, 9)
    found = fill_between_slices(labels, 4, axis=2, voxel_size_mm=(1, 1, 1))
    added = painted(labels.shape, found.index)
    assert not added[labels != 0].any()
    assert not added[..., [0, 4, 8]].any()
    assert added[14:20, 8:20, 1].any()


def test_nothing_between_nothing_to_add():
    labels = np.zeros((10, 10, 10), np.uint16)
    assert fill_between_slices(labels, 4, axis=2, voxel_size_mm=(1, 1, 1)).index.size == 0
    labels[2:5, 2:5, 3:5] = 4
    assert fill_between_slices(labels, 4, axis=2, voxel_size_mm=(1, 1, 1)).slices == ()
    with pytest.raises(ParameterError, match="axis -1"):
        fill_between_slices(labels, 4, axis=-1, voxel_size_mm=(1, 1, 1))


def test_a_large_lesion_is_filled_quickly(ellipsoid):
    shape = (240, 256, 176)
    labels = np.zeros(shape, np.uint16)
    box = (slice(90, 140), slice(90, 140), slice(60, 110))
    labels[box] = _drawn(ellipsoid((50, 50, 50), (1, 1, 1), (25, 25, 25), 18), 2, 4)
    began = time.process_time()
    found = fill_between_slices(labels, 4, axis=2, voxel_size_mm=(1, 1, 1))
    assert found.index.size > 10_000
    assert time.process_time() - began < 0.2
