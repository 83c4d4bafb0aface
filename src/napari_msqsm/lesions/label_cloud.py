"""Lesions of one session in a space that all sessions share: where their voxels are, their volumes and surfaces."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import ShapeMismatchError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.transform import AffineTransform

_SMOOTH_OF_FACES = 2.0 / 3.0
"""Surface of a smooth solid as a part of the faces of its voxels, over all directions."""


@dataclass(frozen=True, eq=False)
class LabelCloud:
    """Lesions of one session.

    Parameters
    ----------
    labels, grid
        (X, Y, Z) label image, and its grid.
    transform
        Positions in the common space → scanner positions of the session, mm.
    """

    labels: NDArray[Any]
    grid: Grid
    transform: AffineTransform

    def __post_init__(self) -> None:
        if self.labels.shape != self.grid.shape:
            raise ShapeMismatchError(f"the labels have shape {self.labels.shape} but their grid {self.grid.shape}")

    @cached_property
    def voxels(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """(n, 3) middle of every voxel of a lesion in the common space, mm, and its (n,) label."""
        index = np.flatnonzero(self.labels)
        at = np.stack(np.unravel_index(index, self.labels.shape), axis=-1)
        scanner = at @ self.grid.affine[:3, :3].T + self.grid.affine[:3, 3]
        return self.transform.inverse().apply(scanner), self.labels.reshape(-1)[index].astype(np.int64)

    @cached_property
    def voxel_mm3(self) -> float:
        """Volume of a voxel in the common space."""
        return self.grid.voxel_volume_mm3 / abs(float(np.linalg.det(self.transform.matrix[:3, :3])))

    @cached_property
    def volumes_mm3(self) -> Mapping[int, float]:
        """Volume of every lesion."""
        found, counts = np.unique(self.voxels[1], return_counts=True)
        return {int(label): float(n) * self.voxel_mm3 for label, n in zip(found, counts, strict=True)}

    @cached_property
    def surfaces_mm2(self) -> Mapping[int, float]:
        """Surface of every lesion: two thirds of the faces of its voxels that it does not share with itself."""
        at = np.nonzero(self.labels)
        if not at[0].size:
            return {}
        box = tuple(slice(int(i.min()), int(i.max()) + 1) for i in at)
        inner = np.pad(self.labels[box].astype(np.int64), 1)
        area = np.zeros(int(inner.max()) + 1)
        volume_mm3, stretch = self.grid.voxel_volume_mm3, self._stretch
        for axis, edge_mm in enumerate(self.grid.voxel_size_mm):
            first, second = (np.take(inner, np.arange(i, inner.shape[axis] - 1 + i), axis=axis) for i in (0, 1))
            differ = first != second
            for side in (first[differ], second[differ]):
                area += np.bincount(side, minlength=area.size) * (volume_mm3 / edge_mm / stretch**2)
        return {int(label): float(area[label]) * _SMOOTH_OF_FACES for label in self.volumes_mm3}

    def at(self, points_mm: NDArray[np.float64]) -> NDArray[np.int64]:
        """(n,) label at (n, 3) points of the common space, mm; −1 beyond the image."""
        scanner = self.transform.apply(points_mm)
        to_voxel = np.linalg.inv(self.grid.affine)
        index = np.rint(scanner @ to_voxel[:3, :3].T + to_voxel[:3, 3]).astype(np.intp)
        inside = np.all((index >= 0) & (index < self.labels.shape), axis=1)
        out = np.full(len(points_mm), -1, dtype=np.int64)
        out[inside] = self.labels[tuple(index[inside].T)]
        return out

    @property
    def _stretch(self) -> float:
        """Mean stretch of lengths from the common space to the session."""
        return math.pow(abs(float(np.linalg.det(self.transform.matrix[:3, :3]))), 1 / 3)
