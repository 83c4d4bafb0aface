"""A map and the mask in which it holds, on another grid (host only)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_msqsm.model.resampling.masked import continued
from napari_msqsm.model.resampling.resample import resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.transform import AffineTransform


def resample_map(
    values: NDArray[np.float32],
    mask: NDArray[np.bool_],
    grid: Grid,
    onto: Grid,
    transform: AffineTransform,
    *,
    interpolation: str = "lanczos",
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Carry a map and its mask to another grid.

    Parameters
    ----------
    values, mask
        (X, Y, Z) map, and where it holds; it may have anything outside.
    grid
        Their grid.
    onto
        Wanted grid.
    transform
        Scanner positions on ``onto`` → those of the map, mm.
    interpolation
        Of the map, see `resample`.

    Returns
    -------
    map, mask
        (X', Y', Z') the map, 0 outside the mask, and the mask.

    Raises
    ------
    InputError
        When the mask is empty.

    Notes
    -----
    The mask goes by its signed distance in mm, so that it keeps its volume. What stands outside it does not enter the
    map, and every voxel of the new mask has a value: the map is continued beyond its mask (`continued`) first, since
    a few voxels at the edge of the new mask lie in voxels that were not in the old one.
    """
    edges = grid.voxel_size_mm
    whole = continued(values, mask, grid)
    depth_mm = ndimage.distance_transform_edt(np.pad(mask, 1), edges)[1:-1, 1:-1, 1:-1]
    depth_mm -= ndimage.distance_transform_edt(~mask, edges)
    beyond = -float(np.max(edges))
    inside = resample(depth_mm.astype(np.float32), grid, onto, transform, interpolation="linear", outside=beyond) > 0
    carried = resample(whole, grid, onto, transform, interpolation=interpolation)
    return np.where(inside, carried, np.float32(0.0)), inside
