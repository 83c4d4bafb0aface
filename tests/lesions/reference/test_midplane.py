"""The plane between the hemispheres."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError, ShapeMismatchError
from napari_msqsm.lesions.reference.midplane import Midplane, midplane_of
from napari_msqsm.model.grid import Grid, reoriented


@pytest.mark.parametrize(
    ("turn_deg", "shift_mm"),
    [((0, 0, 0), (0, 0, 0)), ((0, 14, -9), (4, -3, 2)), ((10, -18, 12), (-6, 0, 5)), ((-8, 5, 20), (3, 3, 3))],
)
def test_of_a_head_that_is_turned_and_shifted(head_turned, turn_deg, shift_mm):
    head = head_turned((2.0, 2.0, 3.0), turn_deg, shift_mm)
    found = midplane_of(head.brain, head.grid, white=head.white)
    assert np.degrees(np.arccos(min(1.0, float(found.normal @ head.right)))) < 1.5
    assert abs(found.normal @ head.centre - found.offset_mm) < 0.7
    assert found.likeness > 0.9


def test_order_and_direction_of_axes_do_not_matter(head):
    wanted = midplane_of(head.brain, head.grid, white=head.white)
    brain, grid = reoriented(head.brain, head.grid, "ILP")
    white, _ = reoriented(head.white, head.grid, "ILP")
    found = midplane_of(brain, grid, white=white)
    assert float(found.normal @ wanted.normal) > np.cos(np.radians(1.0))
    assert found.offset_mm == pytest.approx(wanted.offset_mm, abs=0.7)


def test_sides_and_mirror_images():
    grid = Grid((9, 4, 4), np.diag([-1.0, 1.0, 2.0, 1.0]))  # the first axis runs to the left: x = −8 … 0
    plane = Midplane(np.array([1.0, 0.0, 0.0]), -4.0)
    index = np.ravel_multi_index(([0, 4, 8], [1, 2, 3], [1, 1, 2]), grid.shape)
    assert plane.signed_mm(index, grid).tolist() == [4.0, 0.0, -4.0]
    mirrored = np.ravel_multi_index(([0, 4, 8], [3, 2, 1], [2, 1, 1]), grid.shape)
    assert plane.mirrored(index, grid).tolist() == sorted(mirrored.tolist())
    beyond = Midplane(np.array([1.0, 0.0, 0.0]), 3.0)
    assert beyond.mirrored(index, grid).size == 0


def test_refusals(head):
    with pytest.raises(InputError, match="too few"):
        midplane_of(np.zeros(head.grid.shape, bool), head.grid)
    with pytest.raises(ShapeMismatchError, match="the brain has shape"):
        midplane_of(head.brain[:-1], head.grid)
