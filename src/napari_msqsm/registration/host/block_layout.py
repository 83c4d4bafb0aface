"""Which samples of a lattice make up which block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_FILLED = 0.4
"""Part of a block that must lie in the region."""
_LEAST_SAMPLES = 3


@dataclass(frozen=True, eq=False)
class BlockLayout:
    """Blocks of a lattice, without gaps between them.

    Parameters
    ----------
    index
        (block, sample) flat index into the lattice.
    weight
        (block, sample) 1 inside the region, 0 outside.
    voxel
        (block, 3) mean position of the samples that count, in voxels of the lattice.
    trend
        (block, sample, 4) orthonormal: what a constant and a slope along each axis make of a block's samples.
    """

    index: NDArray[np.int64]
    weight: NDArray[np.float32]
    voxel: NDArray[np.float64]
    trend: NDArray[np.float32]


def block_layout(region: NDArray[np.bool_], voxel_size_mm: tuple[float, float, float], edge_mm: float) -> BlockLayout:
    """Cut the region of a lattice into blocks of about ``edge_mm``; blocks that are mostly outside are left out."""
    shape = region.shape
    size = [min(n, max(_LEAST_SAMPLES, round(edge_mm / edge))) for n, edge in zip(shape, voxel_size_mm, strict=True)]
    first = np.stack(
        np.meshgrid(*[np.arange(0, n - step + 1, step) for n, step in zip(shape, size, strict=True)], indexing="ij"), -1
    ).reshape(-1, 1, 3)
    within = np.stack(np.meshgrid(*[np.arange(step) for step in size], indexing="ij"), -1).reshape(1, -1, 3)
    at = first + within
    index = np.ravel_multi_index(tuple(np.moveaxis(at, -1, 0)), shape)
    weight = region.reshape(-1)[index].astype(np.float32)
    kept = weight.mean(axis=1) >= _LEAST_FILLED
    index, weight, at = index[kept], weight[kept], at[kept]
    voxel = (at * weight[..., None]).sum(axis=1) / np.maximum(weight.sum(axis=1), 1.0)[:, None]
    along = (at - voxel[:, None, :]) * weight[..., None]
    trend, _ = np.linalg.qr(np.concatenate([weight[..., None], along], axis=2))
    return BlockLayout(index.astype(np.int64), weight, voxel, (trend * weight[..., None]).astype(np.float32))


def on_lattice(
    mask: NDArray[np.bool_], affine: NDArray[Any], lattice_shape: tuple[int, int, int], lattice_affine: NDArray[Any]
) -> NDArray[np.bool_]:
    """Mask of an image at the voxels of its lattice, which lie at some of its own voxels."""
    change = np.linalg.inv(affine) @ lattice_affine
    at = np.indices(lattice_shape).reshape(3, -1)
    voxel = np.rint(change[:3, :3] @ at + change[:3, 3:]).astype(np.intp)
    voxel = np.clip(voxel, 0, np.array(mask.shape)[:, None] - 1)
    return np.asarray(mask[tuple(voxel)].reshape(lattice_shape))


def eroded(region: NDArray[np.bool_], voxel_size_mm: tuple[float, float, float], depth_mm: float) -> NDArray[np.bool_]:
    """Voxels of a region that lie deeper in it than ``depth_mm``."""
    return np.asarray(ndimage.distance_transform_edt(region, sampling=voxel_size_mm) > depth_mm)


def inner_head(
    image: NDArray[Any], level: float, voxel_size_mm: tuple[float, float, float], depth_mm: float
) -> NDArray[np.bool_]:
    """Voxels at least ``depth_mm`` below the surface of the head: mostly brain; skin and eyes are left out.

    Parameters
    ----------
    image
        (X, Y, Z) smooth grey levels.
    level
        Grey level above which a voxel belongs to the head.
    voxel_size_mm
        Voxel edges.
    depth_mm
        Wanted depth; half of the greatest one where nothing lies as deep.
    """
    head = ndimage.binary_closing(np.pad(image > level, 3), iterations=3)[3:-3, 3:-3, 3:-3]
    thin = int(np.argmax(voxel_size_mm))
    for k in range(head.shape[thin]):  # slices of a slab are open at both ends: each one is filled by itself
        where = tuple(k if axis == thin else slice(None) for axis in range(3))
        head[where] = ndimage.binary_fill_holes(head[where])
    depth = ndimage.distance_transform_edt(head, sampling=voxel_size_mm)
    return np.asarray(depth > min(depth_mm, 0.5 * float(depth.max())))
