"""Voxels split into parts: their samples in head coordinates, and their mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.phantom.composition import Sampling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid

Parts = tuple[int, int, int]


def parts_of(grid: Grid, subvoxel_mm: float) -> Parts:
    """Along each axis, into how many parts a voxel is split so that none is longer than ``subvoxel_mm``."""
    x, y, z = (max(1, math.ceil(step / subvoxel_mm - 1e-6)) for step in grid.voxel_size_mm)
    return x, y, z


def fine_sampling(
    grid: Grid, pose: NDArray[np.float64], parts: Parts, extra: int = 0
) -> tuple[Sampling, tuple[slice, slice, slice]]:
    """Sub-voxel centres in head coordinates, with slices beyond the grid, and where the grid lies in them."""
    p = np.array(parts, dtype=float)
    to_voxel = np.eye(4)
    to_voxel[:3, :3] = np.diag(1.0 / p)
    to_voxel[:3, 3] = (1.0 - p) / (2.0 * p) - np.array([0.0, 0.0, float(extra)])
    affine = np.linalg.inv(pose) @ grid.affine @ to_voxel
    x, y, z = (n * part for n, part in zip(grid.shape, parts, strict=True))
    beyond = extra * parts[2]
    return Sampling(affine, (x, y, z + 2 * beyond)), (slice(0, x), slice(0, y), slice(beyond, beyond + z))


def averaged(image: NDArray[Any], parts: Parts) -> NDArray[Any]:
    """Mean over the parts of every voxel."""
    (x, y, z), (a, b, c) = image.shape, parts
    return np.asarray(image.reshape(x // a, a, y // b, b, z // c, c).mean(axis=(1, 3, 5), dtype=image.dtype))
