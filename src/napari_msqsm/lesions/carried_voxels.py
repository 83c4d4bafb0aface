"""Voxels of another grid that a drawn region becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.resampling.labels import resample_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.transform import AffineTransform

_MARGIN_MM = 4.0


def carried_voxels(mask: NDArray[np.bool_], grid: Grid, onto: Grid, transform: AffineTransform) -> NDArray[np.int64]:
    """Carry one region to another grid by its signed distance; it keeps its volume.

    Parameters
    ----------
    mask, grid
        (X, Y, Z) the region, and its grid; a crop about the region will do.
    onto
        Grid of the result.
    transform
        Scanner positions on ``onto`` (fixed) → those on ``grid`` (moving), mm.

    Returns
    -------
    NDArray
        (n,) flat index on ``onto``, C order, ascending; none where the region lies beyond it.

    Notes
    -----
    The same voxels as `napari_msqsm.model.resampling.labels.resample_labels` gives the region on the whole grid, from
    a crop about it.
    """
    at = np.argwhere(mask)
    if not at.size:
        return np.zeros(0, np.int64)
    low, high = at.min(axis=0) - 0.5, at.max(axis=0) + 0.5
    corners = np.array(np.meshgrid(*zip(low, high, strict=True), [1.0], indexing="ij")).reshape(4, -1)
    reached = (np.linalg.inv(onto.affine) @ np.linalg.inv(transform.matrix) @ grid.affine @ corners)[:3]
    margin = np.ceil((_MARGIN_MM + np.max(grid.voxel_size_mm)) / np.array(onto.voxel_size_mm))
    start = np.clip(np.floor(reached.min(axis=1)) - margin, 0, onto.shape).astype(int)
    stop = np.clip(np.ceil(reached.max(axis=1)) + margin + 1, 0, onto.shape).astype(int)
    if np.any(stop <= start):
        return np.zeros(0, np.int64)
    corner = np.eye(4)
    corner[:3, 3] = start
    crop = Grid(tuple(int(n) for n in stop - start), onto.affine @ corner)
    found = np.nonzero(resample_labels(mask.astype(np.uint8), grid, crop, transform))
    index = np.ravel_multi_index(tuple(i + first for i, first in zip(found, start, strict=True)), onto.shape)
    return np.asarray(index, dtype=np.int64)
