r"""Mean of rigid motions that does not depend on which of them comes first, nor on where space has its origin.

The exponential barycentre of a group: the motion m with :math:`\sum_i \log(m^{-1} T_i) = 0`, where log is the motion's
generator (a screw). It commutes with composition from both sides, mean(A Tᵢ B) = A mean(Tᵢ) B.

Source: Pennec X, Arsigny V, in Matrix Information Geometry, Springer 2013:123 (doi 10.1007/978-3-642-30232-9_7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

from napari_msqsm.errors import ParameterError
from napari_msqsm.registration.host.frames import rotation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_MOST_ROUNDS = 50
_SETTLED = 1e-12
_RIGID = 1e-6


def rigid_mean(matrices: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Mean of (4, 4) rigid motions; turns between them must stay below 180°.

    Raises
    ------
    ParameterError
        When there is none, or one stretches or shears.
    """
    if not len(matrices):
        raise ParameterError("the mean of no transforms was asked for; give at least one")
    for matrix in matrices:
        if np.max(np.abs(matrix[:3, :3] @ matrix[:3, :3].T - np.eye(3))) > _RIGID:
            raise ParameterError("a mid-space needs rigid transforms; use the model rigid")
    mean: NDArray[np.float64] = np.array(matrices[0], dtype=np.float64)
    for _ in range(_MOST_ROUNDS):
        generators = [generator(np.linalg.inv(mean) @ matrix) for matrix in matrices]
        step = np.mean(generators, axis=0)
        mean = mean @ motion_of(step)
        if np.max(np.abs(step)) < _SETTLED:
            break
    return mean


def generator(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """(6,) generator of a rigid motion: rotation vector in radians, and velocity in mm."""
    turn = Rotation.from_matrix(matrix[:3, :3]).as_rotvec()
    return np.concatenate([turn, np.linalg.solve(_left_jacobian(turn), matrix[:3, 3])])


def motion_of(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 4) rigid motion of a generator; inverse of `generator`."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(vector[:3])
    matrix[:3, 3] = _left_jacobian(vector[:3]) @ vector[3:]
    return matrix


def _left_jacobian(turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean rotation along the motion: velocity → shift."""
    angle = float(np.linalg.norm(turn))
    x, y, z = turn
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    if angle < 1e-4:
        return np.asarray(np.eye(3) + 0.5 * cross + cross @ cross / 6.0)
    return np.asarray(
        np.eye(3) + (1 - np.cos(angle)) / angle**2 * cross + (angle - np.sin(angle)) / angle**3 * cross @ cross
    )
