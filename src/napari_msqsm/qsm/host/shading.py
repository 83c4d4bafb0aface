"""Slow changes of the signal by the sensitivity of the coils (host only)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray


def local_level(
    image: NDArray[Any], region: NDArray[np.bool_], *, width_mm: float, voxel_size_mm: tuple[float, float, float]
) -> NDArray[np.float32]:
    """Mean of an image over a region around every voxel, weighted by a Gaussian of this width."""
    widths = [width_mm / step for step in voxel_size_mm]
    weight = region.astype(np.float32)
    total = ndimage.gaussian_filter(np.where(region, image, 0).astype(np.float32), widths, mode="nearest")
    share = ndimage.gaussian_filter(weight, widths, mode="nearest")
    return np.asarray(total / np.maximum(share, 1e-6), dtype=np.float32)
