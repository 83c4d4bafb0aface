"""Moving a picture by hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.workflow.inspect_pair.nudge import motion_between, shifted, turned

AFFINE = AffineTransform([[0.9, 0.1, 0.0, 5.0], [-0.1, 1.1, 0.05, -3.0], [0.0, 0.02, 1.0, 2.0], [0, 0, 0, 1]])
POINTS = np.array([[0.0, 0.0, 0.0], [10.0, -20.0, 30.0], [-7.0, 4.0, 55.0]])


def test_a_shift_carries_what_was_seen_somewhere_to_where_it_is_seen_now():
    after = shifted(AFFINE, (3.0, -2.0, 1.0))
    np.testing.assert_allclose(after.apply(POINTS + np.array([3.0, -2.0, 1.0])), AFFINE.apply(POINTS), atol=1e-12)


def test_a_quarter_turn_by_hand():
    after = turned(AffineTransform.identity(), (0, 0, 1), 90.0, (10.0, 0.0, 0.0))
    # what was seen 1 mm to the right of the centre is now seen 1 mm in front of it
    np.testing.assert_allclose(after.apply([10.0, 1.0, 7.0]), [11.0, 0.0, 7.0], atol=1e-12)


def test_the_centre_stays_and_distances_are_kept():
    centre = (4.0, -9.0, 21.0)
    after = turned(AFFINE, (1.0, 2.0, -0.5), 17.0, centre)
    np.testing.assert_allclose(after.apply(centre), AFFINE.apply(centre), atol=1e-12)
    motion = AFFINE.inverse().after(after).matrix[:3, :3]
    np.testing.assert_allclose(motion.T @ motion, np.eye(3), atol=1e-12)


@pytest.mark.parametrize("angle_deg", [0.01, 5.0, 120.0])
def test_there_and_back_is_nothing(angle_deg):
    there = turned(shifted(AFFINE, (1, 2, 3)), (1, 1, 0), angle_deg, POINTS[1])
    back = shifted(turned(there, (1, 1, 0), -angle_deg, POINTS[1]), (-1, -2, -3))
    np.testing.assert_allclose(back.matrix, AFFINE.matrix, atol=1e-10)


@pytest.mark.parametrize("angle_deg", [1e-6, 0.3, -40.0, 179.0])
def test_the_motion_between_two_transforms_is_told(angle_deg):
    centre = np.array([5.0, 6.0, 7.0])
    after = turned(shifted(AFFINE, (0.5, 0.0, -1.5)), (0, 1, 2), angle_deg, centre)
    shift_mm, angle = motion_between(AFFINE, after, centre - (0.5, 0.0, -1.5))
    np.testing.assert_allclose(shift_mm, (0.5, 0.0, -1.5), atol=1e-9)
    assert angle == pytest.approx(abs(angle_deg), rel=1e-6)


def test_an_axis_without_a_direction_is_refused():
    with pytest.raises(ParameterError, match="not all zero"):
        turned(AFFINE, (0, 0, 0), 5.0, (0, 0, 0))
