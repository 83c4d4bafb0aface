"""Holes and enclosed areas."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.lesions.tools.fill import enclosed_area, holes_in_slice, holes_in_volume

SHAPE = (20, 22, 18)


@pytest.fixture
def shell(ellipsoid):
    """A hollow ball of label 3 with a piece of label 7 in its hollow."""
    whole = ellipsoid(SHAPE, (1, 1, 1), (9, 10, 8), 7)
    hollow = ellipsoid(SHAPE, (1, 1, 1), (9, 10, 8), 4)
    labels = np.where(whole & ~hollow, 3, 0).astype(np.uint16)
    labels[9, 10, 8:10] = 7
    return labels, hollow


def test_a_hollow_is_filled_in_space_but_never_over_another_lesion(shell, painted):
    labels, hollow = shell
    found = painted(SHAPE, holes_in_volume(labels, 3))
    assert np.array_equal(found, hollow & (labels == 0))
    opened = labels.copy()
    opened[9, 10, 8:] = 0
    assert holes_in_volume(opened, 3).size == 0


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_hollow_is_filled_in_one_slice(axis, shell, painted):
    labels, hollow = shell
    found = painted(SHAPE, holes_in_slice(labels, 3, axis=axis, position=7))
    assert np.array_equal(found, hollow & (labels == 0) & (np.indices(SHAPE)[axis] == 7))


def test_a_ring_in_one_slice_is_open_in_space(painted):
    labels = np.zeros(SHAPE, np.uint16)
    labels[4:9, 4:9, 5] = 2
    labels[5:8, 5:8, 5] = 0
    assert holes_in_volume(labels, 2).size == 0
    assert np.count_nonzero(painted(SHAPE, holes_in_slice(labels, 2, axis=2, position=5))) == 9


def test_no_lesion_no_holes():
    assert holes_in_volume(np.zeros(SHAPE, np.uint16), 2).size == 0


def test_the_area_about_a_click_is_filled(shell, painted):
    labels, hollow = shell
    found = painted(SHAPE, enclosed_area(labels, (9.3, 12.2, 7.4), axis=2))
    assert np.array_equal(found, hollow & (labels == 0) & (np.indices(SHAPE)[2] == 7))
    assert enclosed_area(labels, (9, 10, 8), axis=2).size == 0


def test_a_box_narrows_where_it_is_looked(shell, painted):
    labels, hollow = shell
    within = (slice(1, 18), slice(2, 19), slice(0, 3))
    found = painted(SHAPE, enclosed_area(labels, (9, 12, 7), axis=2, within=within))
    assert np.array_equal(found, hollow & (labels == 0) & (np.indices(SHAPE)[2] == 7))
    with pytest.raises(ParameterError, match="open"):
        enclosed_area(labels, (9, 12, 7), axis=2, within=(slice(7, 12), slice(8, 16), slice(0, 18)))
    with pytest.raises(ParameterError, match="beyond the box"):
        enclosed_area(labels, (9, 12, 7), axis=2, within=(slice(0, 5), slice(0, 5), slice(0, 18)))


def test_an_open_area_is_refused(shell):
    labels, _ = shell
    with pytest.raises(ParameterError, match="open"):
        enclosed_area(labels, (1, 1, 7), axis=2)
    with pytest.raises(ParameterError, match="beyond the image"):
        enclosed_area(labels, (1, 100, 7), axis=2)


def test_a_slice_that_is_none_is_refused(shell):
    with pytest.raises(ParameterError, match="slice 18 is none of the 18 slices"):
        holes_in_slice(shell[0], 3, axis=2, position=18)
