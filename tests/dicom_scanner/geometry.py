"""Where slices lie: DICOM's words for it (LPS) and the affine they mean (RAS)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

PLANES = {
    "axial": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "coronal": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "sagittal": ((0, 1, 0), (0, 0, -1), (-1, 0, 0)),
}
"""Directions in LPS in which columns, rows and slices are counted."""


@dataclass(frozen=True, eq=False)
class Geometry:
    """(columns, rows, slices), voxel edges in mm, the plane, and how far it is turned about x, y, z in degrees."""

    shape: tuple[int, int, int] = (16, 18, 6)
    voxel_mm: tuple[float, float, float] = (1.5, 1.25, 3.0)
    plane: str = "axial"
    oblique_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    centre_mm: tuple[float, float, float] = (4.0, -11.0, 23.0)

    @property
    def directions(self) -> np.ndarray:
        """(3, 3): one column per voxel axis, in LPS."""
        turned = Rotation.from_euler("xyz", self.oblique_deg, degrees=True).as_matrix()
        return turned @ np.array(PLANES[self.plane], float).T

    @property
    def affine_lps(self) -> np.ndarray:
        """(column, row, slice) → LPS mm."""
        affine = np.eye(4)
        affine[:3, :3] = self.directions * self.voxel_mm
        affine[:3, 3] = np.array(self.centre_mm) - affine[:3, :3] @ ((np.array(self.shape) - 1) / 2)
        return affine

    @property
    def affine(self) -> np.ndarray:
        """(column, row, slice) → RAS mm."""
        return np.diag((-1.0, -1.0, 1.0, 1.0)) @ self.affine_lps

    @property
    def orientation(self) -> list[float]:
        """ImageOrientationPatient."""
        return [round(float(x), 12) for x in self.directions[:, :2].T.ravel()]

    def position(self, k: int) -> list[float]:
        """ImagePositionPatient of a slice."""
        return [round(float(x), 9) for x in self.affine_lps[:3, 3] + k * self.affine_lps[:3, 2]]

    @property
    def spacing(self) -> list[float]:
        """PixelSpacing: between rows, then between columns."""
        return [self.voxel_mm[1], self.voxel_mm[0]]
