"""Small and wrong steps away from a transform, as 4×4 matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

from napari_msqsm.registration.host.frames import rotation, translation

if TYPE_CHECKING:
    from numpy.typing import NDArray


def part_of(step: NDArray[np.float64], part: float, middle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shorten a rigid motion about a point."""
    turn = Rotation.from_matrix(step[:3, :3]).as_rotvec() * part
    shift = (step[:3, :3] @ middle + step[:3, 3] - middle) * part
    return _about(middle, rotation(turn), shift)


def small_steps(at: NDArray[np.float64], middle: NDArray[np.float64], length_mm: float) -> list[NDArray[np.float64]]:
    """Shifts, and turns about the middle, that move (n, 3) positions by a length (root mean square)."""
    arm = at - middle
    steps = shifts(length_mm)
    for axis in np.eye(3):
        reach = float(np.sqrt(np.mean(np.sum(np.cross(axis, arm) ** 2, axis=1))))
        for sign in (-1.0, 1.0):
            steps.append(_about(middle, rotation(sign * axis * length_mm / max(reach, 1.0)), np.zeros(3)))
    return steps


def shifts(length_mm: float) -> list[NDArray[np.float64]]:
    """To both sides along each axis."""
    return [translation(sign * length_mm * axis) for axis in np.eye(3) for sign in (-1.0, 1.0)]


def _about(middle: NDArray[np.float64], turn: NDArray[np.float64], shift: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = middle + shift - turn @ middle
    return matrix
