"""Distances in mm inside a mask (host only)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray


def depth_mm(mask: NDArray[np.bool_], voxel_size_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    """Distance of each voxel of the mask to the nearest voxel outside it; beyond the image is outside, too."""
    padded = np.pad(mask, 1)
    return np.asarray(ndimage.distance_transform_edt(padded, sampling=voxel_size_mm))[1:-1, 1:-1, 1:-1]
