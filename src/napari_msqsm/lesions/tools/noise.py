"""Noise of an image near a place, whatever is to be seen there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TO_SD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


def robust_sd(values: NDArray[Any]) -> float:
    """Estimate the standard deviation from the median absolute deviation; 0 where there is no value."""
    if values.size == 0:
        return 0.0
    return float(_TO_SD * np.median(np.abs(values - np.median(values))))


def noise_sd(box: NDArray[Any], axis: int | None = None) -> float:
    """Estimate the standard deviation of the noise in a small box: ``1.4826 · median |second difference| / √6``.

    Parameters
    ----------
    box
        (X, Y, Z) finite intensities.
    axis
        Axis along which it is not looked; None: along every axis that is long enough.

    Notes
    -----
    Second differences do not see slopes, and the median does not see edges as long as these are in less than half of
    the box. The axis along which the image is smoothest tells the noise.
    """
    found = []
    for along in range(box.ndim):
        if along != axis and box.shape[along] >= 3:
            bend = np.diff(box, n=2, axis=along)
            found.append(float(_TO_SD * np.median(np.abs(bend)) / np.sqrt(6.0)))
    return min(found, default=0.0)
