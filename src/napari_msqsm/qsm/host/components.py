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


def largest_part(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the face-connected component with most voxels; an empty region stays empty."""
    parts, count = ndimage.label(region)
    if count < 2:
        return region
    return np.asarray(parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:])))


def filled(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill holes in 3-D, and what is enclosed in slices of at least two of the three directions.

    A hole may be open at the border of a slab; two directions, so that the result does not depend on the order of axes.
    """
    out = np.asarray(ndimage.binary_fill_holes(region), dtype=bool)
    votes = np.zeros(region.shape, dtype=np.uint8)
    for axis in range(3):
        plane = np.ones((3, 3, 3), dtype=bool) & ndimage.generate_binary_structure(3, 1)
        plane[tuple(slice(None) if a != axis else slice(0, 1) for a in range(3))] = False
        plane[tuple(slice(None) if a != axis else slice(2, 3) for a in range(3))] = False
        padded = np.pad(out, [(0, 0) if a == axis else (1, 1) for a in range(3)])
        outside = np.zeros_like(padded)
        for other in range(3):
            if other != axis:
                outside[tuple(slice(0, 1) if a == other else slice(None) for a in range(3))] = True
                outside[tuple(slice(-1, None) if a == other else slice(None) for a in range(3))] = True
        reached = ndimage.binary_propagation(outside, structure=plane, mask=~padded)
        inner = tuple(slice(None) if a == axis else slice(1, -1) for a in range(3))
        votes += ~reached[inner] & ~out
    return out | (votes >= 2)
