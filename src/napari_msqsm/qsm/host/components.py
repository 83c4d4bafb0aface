"""Connected components (host only)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def connected_to(region: NDArray[np.bool_], seed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those face-connected components of a region that touch a seed or the border of the image."""
    outside = np.pad(seed, 1, constant_values=True)
    inner = np.pad(region, 1)
    reached = ndimage.binary_dilation(outside) & inner
    return np.asarray(ndimage.binary_propagation(reached, mask=inner))[1:-1, 1:-1, 1:-1]


def best_of_parts(scores: Sequence[NDArray[Any]], mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """For each connected part of a mask, which of several scores is largest in sum; told for every voxel of the mask.

    Parameters
    ----------
    scores
        Each (voxel,), in the order of ``image[mask]``.
    mask
        (X, Y, Z) bool.

    Returns
    -------
    NDArray
        (voxel,) index into ``scores``, the first of equals.
    """
    part = ndimage.label(mask)[0][mask]
    sums = np.stack([np.bincount(part, weights=score) for score in scores])
    return np.asarray(np.argmax(sums, axis=0)[part])
