"""Values of a masked image continued beyond its mask (host only)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_msqsm.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid


def continued(image: NDArray[Any], mask: NDArray[np.bool_], grid: Grid) -> NDArray[Any]:
    """Give every voxel outside a mask the value of the nearest voxel inside.

    An interpolation near the edge of the mask then does not take in what stands outside it: zeros, mostly, which are
    no susceptibility.

    Parameters
    ----------
    image, mask
        (X, Y, Z); the image may hold anything outside the mask.
    grid
        Their grid; nearest is meant in mm.

    Raises
    ------
    InputError
        When the mask is empty.
    """
    if not mask.any():
        raise InputError("the mask of the image is empty; give one with at least one voxel")
    if mask.all():
        return image
    nearest = ndimage.distance_transform_edt(
        ~mask, sampling=grid.voxel_size_mm, return_distances=False, return_indices=True
    )
    return np.asarray(image[tuple(nearest)])
