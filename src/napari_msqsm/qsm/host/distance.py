"""Distances in mm inside a mask (host only)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray


def depth_mm(mask: NDArray[np.bool_], voxel_size_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    """Distance of each voxel of the mask to the nearest voxel outside it; beyond the image is outside, too."""
    return np.minimum(edge_distance_mm(mask, voxel_size_mm), border_distance_mm(mask.shape, voxel_size_mm))


def edge_distance_mm(mask: NDArray[np.bool_], voxel_size_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    """Distance of each voxel of the mask to the nearest voxel outside; beyond the image nothing is outside."""
    if mask.all():
        return np.full(mask.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(mask, sampling=voxel_size_mm))


def border_distance_mm(shape: tuple[int, ...], voxel_size_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    """Distance of each voxel to the first voxel that would lie beyond the image."""
    out = np.full(shape, np.inf)
    for axis, (n, step) in enumerate(zip(shape, voxel_size_mm, strict=True)):
        along = np.minimum(np.arange(n) + 1, n - np.arange(n)) * step
        out = np.minimum(out, along.reshape([-1 if a == axis else 1 for a in range(len(shape))]))
    return out


def within_mm(
    region: NDArray[np.bool_], reach_mm: float, voxel_size_mm: tuple[float, float, float]
) -> NDArray[np.bool_]:
    """Voxels no farther than this from the nearest voxel of a region."""
    out = np.zeros(region.shape, dtype=bool)
    if region.any():
        near = []
        for axis, step in enumerate(voxel_size_mm):
            there = np.flatnonzero(region.any(axis=tuple(a for a in range(region.ndim) if a != axis)))
            reach = int(reach_mm / step) + 1
            near.append(slice(max(0, there[0] - reach), there[-1] + reach + 1))
        box = tuple(near)
        out[box] = ndimage.distance_transform_edt(~region[box], sampling=voxel_size_mm) <= reach_mm
    return out
