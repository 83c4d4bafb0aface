"""Confluent lesions in their parts."""

from __future__ import annotations

import time

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.lesions.tools.split import split_at_necks, split_by_number, split_by_seeds


def _shape(voxel_size_mm):
    return tuple(int(48 / size) for size in voxel_size_mm)


def _balls(ellipsoid, voxel_size_mm, *balls):
    """Labels of balls: centre and radius in mm."""
    shape = _shape(voxel_size_mm)
    masks = [ellipsoid(shape, voxel_size_mm, np.array(at) / voxel_size_mm, radius) for at, radius in balls]
    return np.where(np.any(masks, axis=0), 5, 0).astype(np.uint16), masks


def test_two_balls_are_split_at_their_neck(voxel_size_mm, ellipsoid, painted, dice):
    labels, (first, second) = _balls(ellipsoid, voxel_size_mm, ((16, 20, 24), 8), ((29, 26, 24), 7))
    pieces = split_at_necks(labels, 5, voxel_size_mm)
    assert len(pieces) == 2
    masks = [painted(labels.shape, index) for index in pieces]
    assert np.array_equal(masks[0] | masks[1], labels == 5)
    assert not (masks[0] & masks[1]).any()
    assert dice(masks[0], first) > 0.95
    assert dice(masks[1], second) > 0.95


def test_what_has_no_neck_stays_whole(voxel_size_mm, ellipsoid):
    shape = _shape(voxel_size_mm)
    for radii in (8.0, (13.0, 7.0, 6.0), (4.0, 4.0, 14.0)):
        labels = np.where(ellipsoid(shape, voxel_size_mm, np.array(shape) / 2, radii), 5, 0).astype(np.uint16)
        assert len(split_at_necks(labels, 5, voxel_size_mm)) == 1


def test_parts_that_do_not_touch_are_pieces(ellipsoid):
    labels, masks = _balls(ellipsoid, (1, 1, 1), ((12, 12, 12), 5), ((34, 34, 34), 7))
    pieces = split_at_necks(labels, 5, (1, 1, 1))
    assert [index.size for index in pieces] == [np.count_nonzero(masks[1]), np.count_nonzero(masks[0])]


def test_as_many_pieces_as_were_asked_for(ellipsoid, painted, dice):
    size = (0.75, 0.75, 3.0)
    balls = (((12, 12, 24), 6.5), ((23, 15, 24), 7), ((34, 22, 24), 6))
    labels, masks = _balls(ellipsoid, size, *balls)
    assert len(split_by_number(labels, 5, size, number=1)) == 1
    assert len(split_by_number(labels, 5, size, number=2)) == 2
    three = [painted(labels.shape, index) for index in split_by_number(labels, 5, size, number=3)]
    assert sorted(int(np.argmax([dice(piece, mask) for mask in masks])) for piece in three) == [0, 1, 2]
    assert np.array_equal(np.any(three, axis=0), labels == 5)


def test_a_box_has_fewer_pieces_than_asked_for():
    labels = np.zeros((12, 12, 12), np.uint16)
    labels[5, 5, 5] = 5
    assert len(split_by_number(labels, 5, (1, 1, 1), number=4)) == 1


def test_seeds_say_what_the_pieces_are(voxel_size_mm, ellipsoid, painted, dice):
    labels, (first, second) = _balls(ellipsoid, voxel_size_mm, ((16, 20, 24), 8), ((29, 26, 24), 7))
    seeds = [np.array(at) / voxel_size_mm for at in ((30, 27, 24), (13, 19, 24))]
    masks = [painted(labels.shape, index) for index in split_by_seeds(labels, 5, voxel_size_mm, seeds)]
    assert dice(masks[0], first) > 0.93
    assert dice(masks[1], second) > 0.93
    assert np.array_equal(masks[0] | masks[1], labels == 5)


def test_a_part_without_a_seed_goes_to_the_nearest_one(ellipsoid, painted):
    labels, masks = _balls(ellipsoid, (1, 1, 1), ((10, 10, 10), 5), ((36, 36, 36), 5), ((36, 36, 24), 3))
    pieces = [painted(labels.shape, i) for i in split_by_seeds(labels, 5, (1, 1, 1), [(10, 10, 10), (36, 36, 36)])]
    assert np.array_equal(pieces[0], masks[1] | masks[2])


def test_the_same_again_and_with_axes_in_another_order(ellipsoid, painted):
    size = (0.75, 1.0, 3.0)
    labels, _ = _balls(ellipsoid, size, ((16, 20, 24), 8), ((29, 26, 21), 7))
    pieces = split_at_necks(labels, 5, size)
    assert all(np.array_equal(a, b) for a, b in zip(pieces, split_at_necks(labels, 5, size), strict=True))
    turned = split_at_necks(np.ascontiguousarray(labels.transpose(2, 0, 1)), 5, (3.0, 0.75, 1.0))
    shape = tuple(labels.shape[axis] for axis in (2, 0, 1))
    for one, other in zip(pieces, turned, strict=True):
        differ = painted(shape, other) != painted(labels.shape, one).transpose(2, 0, 1)
        assert np.count_nonzero(differ) < 0.02 * one.size


def test_other_lesions_are_not_split(ellipsoid, painted):
    labels, (first, _) = _balls(ellipsoid, (1, 1, 1), ((16, 20, 24), 8), ((29, 26, 24), 7))
    labels[first] = 6
    covered = [painted(labels.shape, index) for index in split_at_necks(labels, 5, (1, 1, 1))]
    assert np.array_equal(np.any(covered, axis=0), labels == 5)


def test_what_cannot_be_split_is_refused(ellipsoid):
    labels, _ = _balls(ellipsoid, (1, 1, 1), ((16, 20, 24), 8))
    with pytest.raises(ParameterError, match="lesion 9 has no voxel"):
        split_at_necks(labels, 9, (1, 1, 1))
    with pytest.raises(ParameterError, match="in 0 pieces"):
        split_by_number(labels, 5, (1, 1, 1), number=0)
    with pytest.raises(ParameterError, match="seed 2 at voxel"):
        split_by_seeds(labels, 5, (1, 1, 1), [(16, 20, 24), (40, 40, 40)])
    with pytest.raises(ParameterError, match="same voxel"):
        split_by_seeds(labels, 5, (1, 1, 1), [(16, 20, 24), (16.2, 20, 24)])
    with pytest.raises(ParameterError, match="no seed"):
        split_by_seeds(labels, 5, (1, 1, 1), [])


def test_a_large_lesion_is_split_quickly(ellipsoid):
    labels = np.zeros((240, 256, 120), np.uint16)
    labels[80:140, 80:140, 40:100] = _balls(ellipsoid, (0.8, 0.8, 0.8), ((16, 24, 24), 11), ((34, 24, 24), 11))[0]
    began = time.process_time()
    assert len(split_at_necks(labels, 5, (1, 1, 1))) == 2
    assert time.process_time() - began < 0.4
