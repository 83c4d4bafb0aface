"""Rings of white matter about lesions."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError, ShapeMismatchError
from napari_msqsm.lesions.reference.midplane import Midplane
from napari_msqsm.lesions.reference.ring import RingSettings, ring_of
from napari_msqsm.model.grid import Grid

SHAPE = (60, 48, 20)
GRID = Grid(SHAPE, np.diag([1.0, 1.0, 2.0, 1.0]) + np.array([[0, 0, 0, -29.5], [0] * 4, [0] * 4, [0] * 4]))
MIDDLE = Midplane(np.array([1.0, 0.0, 0.0]), 0.0)
EVERYWHERE = np.ones(SHAPE, bool)


def box(x, y, z, half=(2, 2, 1)):
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(c - h, c + h + 1) for c, h in zip((x, y, z), half, strict=True))] = True
    return np.flatnonzero(mask)


def by_hand(label, lesions, white, inner, outer, towards=0):
    """Distances of every voxel to every voxel of every lesion."""
    places = {
        n: np.stack(np.unravel_index(i, SHAPE)) * np.array(GRID.voxel_size_mm)[:, None] for n, i in lesions.items()
    }
    found = []
    for flat in np.flatnonzero(white):
        at = np.array(np.unravel_index(flat, SHAPE)) * GRID.voxel_size_mm
        near = {n: np.sqrt(((p - at[:, None]) ** 2).sum(axis=0).min()) for n, p in places.items()}
        nearest = min(near, key=lambda n: (near[n], n))
        right = GRID.affine[0, 0] * np.unravel_index(flat, SHAPE)[0] + GRID.affine[0, 3]
        if nearest == label and inner < near[label] <= outer and (not towards or right * towards > 0):
            found.append(flat)
    return found


def test_against_distances_counted_one_by_one():
    lesions = {3: box(40, 24, 10), 1: box(47, 24, 10), 9: box(40, 33, 12, (1, 3, 0))}
    white = np.random.default_rng(0).uniform(size=SHAPE) < 0.3
    for label in lesions:
        found = ring_of(label, lesions, white, GRID, MIDDLE, settings=RingSettings(least_mm3=1))
        assert found.index.tolist() == by_hand(label, lesions, white, 2.0, 6.0, towards=1)
        assert (found.how, found.side, found.outer_mm) == ("ring", "right", 6.0)


def test_rings_of_neighbours_do_not_overlap_and_keep_off_all_lesions():
    lesions = {1: box(40, 20, 10), 2: box(46, 22, 10), 3: box(43, 28, 11)}
    rings = [
        ring_of(label, lesions, EVERYWHERE, GRID, MIDDLE, settings=RingSettings(least_mm3=1)).index for label in lesions
    ]
    together = np.concatenate(rings)
    assert len(np.unique(together)) == len(together)
    for lesion in lesions.values():
        assert not np.isin(together, lesion).any()


def test_a_ring_that_is_too_small_grows_on_its_own_side_only():
    lesions = {1: box(33, 24, 10, (1, 1, 0))}
    white = np.zeros(SHAPE, bool)
    white[:25] = True  # the other side
    white[44:48, 20:30] = True  # 11 to 14 mm away on its own
    found = ring_of(1, lesions, white, GRID, MIDDLE)
    assert (found.how, found.side, found.outer_mm) == ("grown", "right", 14.0)
    assert np.all(MIDDLE.signed_mm(found.index, GRID) > 0)
    white[44:] = False
    missing = ring_of(1, lesions, white, GRID, MIDDLE)
    assert (missing.how, missing.index.size, missing.outer_mm) == ("missing", 0, 14.0)


def test_mirrored_on_explicit_choice_only():
    lesions = {1: box(40, 24, 10), 2: box(17, 24, 10)}
    white = np.zeros(SHAPE, bool)
    white[:29] = True
    assert ring_of(1, lesions, white, GRID, MIDDLE).how == "missing"
    found = ring_of(1, lesions, white, GRID, MIDDLE, settings=RingSettings(mirror=True))
    assert (found.how, found.side) == ("mirrored", "left")
    assert np.all(MIDDLE.signed_mm(found.index, GRID) < 0)
    x = np.unravel_index(found.index, SHAPE)[0]
    assert abs(x.mean() - 19) < 6
    near_two = by_hand(2, {2: lesions[2]}, white, -1.0, 2.0)
    assert not np.isin(found.index, near_two).any()
    assert ring_of(2, lesions, white, GRID, MIDDLE, settings=RingSettings(mirror=True)).how == "ring"


def test_a_lesion_across_the_midplane_has_both_sides():
    lesions = {1: box(29, 24, 10, (4, 2, 1))}
    found = ring_of(1, lesions, EVERYWHERE, GRID, MIDDLE)
    assert found.side == "both"
    signed = MIDDLE.signed_mm(found.index, GRID)
    assert min(np.mean(signed > 0), np.mean(signed < 0)) > 0.4
    assert ring_of(1, {1: box(33, 24, 10, (4, 2, 1))}, EVERYWHERE, GRID, MIDDLE).side == "right"


def test_voxels_that_some_session_lacks_are_left_out_before_it_is_decided_to_grow():
    lesions = {1: box(42, 24, 10)}

    def upper(index):
        return np.unravel_index(index, SHAPE)[2] > 12

    found = ring_of(1, lesions, EVERYWHERE, GRID, MIDDLE, covered=upper, settings=RingSettings(least_mm3=800))
    assert np.all(upper(found.index))
    assert found.how == "grown"


def test_at_the_edge_of_the_image():
    lesions = {1: box(57, 45, 18)}
    found = ring_of(1, lesions, EVERYWHERE, GRID, MIDDLE, settings=RingSettings(least_mm3=1))
    assert found.index.tolist() == by_hand(1, lesions, EVERYWHERE, 2.0, 6.0, towards=1)


def test_refusals():
    with pytest.raises(ParameterError, match="draw it first"):
        ring_of(2, {1: box(40, 24, 10)}, EVERYWHERE, GRID, MIDDLE)
    with pytest.raises(ParameterError, match="give a larger end"):
        ring_of(1, {1: box(40, 24, 10)}, EVERYWHERE, GRID, MIDDLE, settings=RingSettings(inner_mm=6, outer_mm=6))
    with pytest.raises(ShapeMismatchError, match="white matter has shape"):
        ring_of(1, {1: box(40, 24, 10)}, EVERYWHERE[1:], GRID, MIDDLE)
