"""Affine maps between the scanner spaces of two images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import MetadataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class AffineTransform:
    """Where a point of the fixed image lies in the moving image.

    Parameters
    ----------
    matrix
        (4, 4) fixed scanner position → moving scanner position, both in mm RAS+.

    Raises
    ------
    MetadataError
        When the matrix is not finite, is not affine or has no inverse.
    """

    matrix: NDArray[np.float64]

    def __init__(self, matrix: ArrayLike) -> None:
        values = np.array(matrix, dtype=np.float64)
        if values.shape != (4, 4) or not np.all(np.isfinite(values)):
            raise MetadataError(f"a transform must be a finite 4×4 matrix, got shape {values.shape}")
        if not np.allclose(values[3], (0, 0, 0, 1)):
            raise MetadataError(f"the last row of a transform must be 0 0 0 1, got {values[3]}")
        if abs(np.linalg.det(values[:3, :3])) < 1e-6:
            raise MetadataError("the transform has no inverse; register the images again")
        values.setflags(write=False)
        object.__setattr__(self, "matrix", values)

    @classmethod
    def identity(cls) -> AffineTransform:
        """Make the transform of images that lie on each other already."""
        return cls(np.eye(4))

    def inverse(self) -> AffineTransform:
        """Make the transform moving → fixed."""
        return AffineTransform(np.linalg.inv(self.matrix))

    def after(self, first: AffineTransform) -> AffineTransform:
        """One transform that applies ``first`` and then this one."""
        return AffineTransform(self.matrix @ first.matrix)

    def apply(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Map (..., 3) points in mm RAS+."""
        points = np.asarray(points_mm, dtype=np.float64)
        return points @ self.matrix[:3, :3].T + self.matrix[:3, 3]

    def distance_mm(self, other: AffineTransform, points_mm: ArrayLike) -> NDArray[np.float64]:
        """How far apart two transforms put each of (..., 3) points, mm."""
        return np.asarray(np.linalg.norm(self.apply(points_mm) - other.apply(points_mm), axis=-1))

    @property
    def axis_scales(self) -> tuple[float, float, float]:
        """Stretch along the fixed axes x, y, z; 1 for a rigid transform."""
        x, y, z = np.linalg.norm(self.matrix[:3, :3], axis=0)
        return float(x), float(y), float(z)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AffineTransform) and bool(np.array_equal(self.matrix, other.matrix))

    def __hash__(self) -> int:
        return hash(self.matrix.tobytes())
