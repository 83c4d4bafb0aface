from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.registration.host.frames import rotation
from napari_msqsm.registration.host.steps import part_of, shifts, small_steps

AT = np.random.default_rng(0).uniform(-60, 70, (200, 3))
MIDDLE = AT.mean(axis=0)


def moved(matrix):
    return AT @ (matrix[:3, :3] - np.eye(3)).T + matrix[:3, 3]


def test_small_steps_move_by_their_length_to_all_sides():
    steps = small_steps(AT, MIDDLE, 2.0)
    assert len(steps) == 12
    for step in steps:
        assert np.sqrt(np.mean(np.sum(moved(step) ** 2, axis=1))) == pytest.approx(2.0, rel=1e-3)
    np.testing.assert_allclose(sum(moved(step) for step in steps), 0, atol=0.4)
    assert [tuple(step[:3, 3]) for step in shifts(15.0)][:2] == [(-15, 0, 0), (15, 0, 0)]


def test_two_halves_of_a_motion_are_the_whole_about_its_middle():
    whole = np.eye(4)
    whole[:3, :3] = rotation(np.array((0.2, -0.1, 0.3)))
    whole[:3, 3] = np.array((4, -2, 1)) + MIDDLE - whole[:3, :3] @ MIDDLE
    half = part_of(whole, 0.5, MIDDLE)
    np.testing.assert_allclose((half @ half)[:3, :3], whole[:3, :3], atol=1e-12)
    np.testing.assert_allclose(half[:3, :3] @ MIDDLE + half[:3, 3] - MIDDLE, (2, -1, 0.5), atol=1e-9)
    np.testing.assert_allclose(part_of(whole, 1.0, MIDDLE), whole, atol=1e-9)
