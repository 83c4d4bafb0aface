"""Positions to start from: every combination of a few turns and shifts about the two centres of mass.

The inverses of the positions fixed → moving are those moving → fixed.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.registration.host.frames import inverse, rotation, translation

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SAME_TURN_MM = 60.0


def starting_positions(
    fixed_centre_mm: tuple[float, float, float],
    moving_centre_mm: tuple[float, float, float],
    *,
    turn_deg: float,
    shift_mm: float,
) -> list[NDArray[np.float64]]:
    """(4, 4) maps fixed → moving scanner position: as the headers say, and with the centres on each other.

    Parameters
    ----------
    fixed_centre_mm, moving_centre_mm
        Centres of mass of the heads.
    turn_deg
        Turn about each axis: none, half of this and this, either way and combined; none when 0.
    shift_mm
        Shift along the body, which the centres miss where the images cover other parts of head and neck.
    """
    fixed, moving = np.asarray(fixed_centre_mm), np.asarray(moving_centre_mm)
    middle = 0.5 * (fixed + moving)
    turns = (0.0,) if turn_deg == 0 else (0.0, -0.5 * turn_deg, 0.5 * turn_deg, -turn_deg, turn_deg)
    shifts = (0.0,) if shift_mm == 0 else (0.0, -shift_mm, shift_mm)
    starts = []
    for angles in itertools.product(turns, repeat=3):
        vector = np.radians(angles)
        turn = np.eye(4)
        turn[:3, :3] = rotation(vector)
        starts.append(translation(middle) @ turn @ translation(-middle))
        for shift in shifts:
            offset = rotation(0.5 * vector) @ np.array([0.0, 0.0, shift])
            starts.append(translation(moving + offset) @ turn @ translation(-fixed))
    return starts


def apart_mm(one: NDArray[Any], other: NDArray[Any], centre_mm: tuple[float, float, float]) -> float:
    """How far two maps put a head apart, about its centre: shift plus turn at 60 mm."""
    difference = inverse(one) @ other
    centre = np.asarray(centre_mm)
    shift = difference[:3, :3] @ centre + difference[:3, 3] - centre
    turn = difference[:3, :3] - np.eye(3)
    return float(np.linalg.norm(shift) + _SAME_TURN_MM * np.linalg.norm(turn) / np.sqrt(2.0))
