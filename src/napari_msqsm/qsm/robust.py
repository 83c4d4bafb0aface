"""Counts, means, medians and quantiles over masked voxels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of

if TYPE_CHECKING:
    from napari_msqsm._backend import Array

_MAD_TO_SD = 1.4826


def count(mask: Array) -> int:
    """Count the voxels of a mask."""
    return int(namespace_of(mask).count_nonzero(mask))


def any_of(mask: Array) -> bool:
    """Whether a mask has a voxel."""
    return bool(namespace_of(mask).any(mask))


def mean_inside(image: Array, mask: Array) -> float:
    """Mean over the mask; 0 for an empty mask."""
    xp = namespace_of(image, mask)
    voxels = float(xp.sum(xp.astype(mask, image.dtype)))
    return float(xp.sum(xp.where(mask, image, xp.zeros_like(image)))) / voxels if voxels else 0.0


def sd_inside(image: Array, mask: Array) -> float:
    """Compute the standard deviation over the mask."""
    centred = image - mean_inside(image, mask)
    return math.sqrt(mean_inside(centred * centred, mask))


def quantile(values: Array, q: float) -> float:
    """Quantile of a 1-D array, linear between order statistics (R type 7)."""
    xp = namespace_of(values)
    ordered = xp.sort(values)
    position = q * (ordered.shape[0] - 1)
    below = int(position)
    above = min(below + 1, ordered.shape[0] - 1)
    low, high = float(ordered[below]), float(ordered[above])
    return float(low + (position - below) * (high - low))


def median_inside(image: Array, mask: Array) -> float:
    """Median over the mask."""
    return quantile(image[mask], 0.5)


def robust_sd(values: Array) -> float:
    """Estimate the standard deviation from the median absolute deviation of a 1-D array."""
    xp = namespace_of(values)
    return float(_MAD_TO_SD) * quantile(xp.abs(values - quantile(values, 0.5)), 0.5)
