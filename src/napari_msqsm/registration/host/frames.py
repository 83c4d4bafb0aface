"""4×4 affine matrices on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Rows = list[list[float]]
"""The first three rows of a 4×4 matrix, as numbers."""


def rows(matrix: NDArray[Any]) -> Rows:
    """Numbers that any array library multiplies with, without a change of precision."""
    return [[float(matrix[row, column]) for column in range(4)] for row in range(3)]


def inverse(matrix: NDArray[Any]) -> NDArray[np.float64]:
    """Inverse of an affine matrix."""
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def translation(offset_mm: NDArray[Any] | tuple[float, float, float]) -> NDArray[np.float64]:
    """Make the affine matrix of a shift."""
    matrix = np.eye(4)
    matrix[:3, 3] = offset_mm
    return matrix


def rotation(vector_rad: NDArray[Any]) -> NDArray[np.float64]:
    """(3, 3) rotation about a vector by its length (Rodrigues)."""
    angle = float(np.linalg.norm(vector_rad))
    x, y, z = vector_rad
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    if angle < 1e-8:
        return np.asarray(np.eye(3) + cross + 0.5 * cross @ cross, dtype=np.float64)
    turn = np.sin(angle) / angle * cross + (1 - np.cos(angle)) / angle**2 * cross @ cross
    return np.asarray(np.eye(3) + turn, dtype=np.float64)


def nearest_rotation(matrix: NDArray[Any]) -> NDArray[np.float64]:
    """(3, 3) rotation nearest to a matrix in the least-squares sense."""
    left, _, right = np.linalg.svd(matrix)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    return np.asarray(left @ flip @ right, dtype=np.float64)


def padded(three_rows: NDArray[Any]) -> NDArray[np.float64]:
    """(4, 4) matrix of three rows and a row of zeros."""
    return np.concatenate([three_rows, np.zeros((1, 4))])
