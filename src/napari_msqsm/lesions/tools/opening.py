"""The body of a region, without what hangs on it by a thinner part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Voxel = tuple[int, int, int]
_THINNER = 0.5
"""What is less wide than this part of the body is not the body."""
_LONG, _LONG_MM = 3.0, 3.0
"""The body goes no further from its deepest place than 3 times its depth there and 3 mm."""
_TOUCHING = np.ones((3, 3, 3), dtype=bool)


def distance_from(shape: Sequence[int], voxel: Sequence[int], voxel_size_mm: Sequence[float]) -> NDArray[np.float64]:
    """Distance of every voxel of a box to one of them, mm."""
    x, y, z = (((np.arange(n) - at) * size) ** 2 for n, at, size in zip(shape, voxel, voxel_size_mm, strict=True))
    return np.asarray(np.sqrt(x[:, None, None] + y[None, :, None] + z[None, None, :]))


def bounding_box(region: NDArray[np.bool_], margin: Sequence[int]) -> tuple[slice, slice, slice]:
    """Box about a region that is not empty, wider by a margin but never beyond the array."""
    x, y, z = (
        slice(max(0, int(at[0]) - more), min(n, int(at[-1]) + 1 + more))
        for at, n, more in (
            (np.flatnonzero(region.any(axis=others)), region.shape[axis], margin[axis])
            for axis, others in enumerate(((1, 2), (0, 2), (0, 1)))
        )
    )
    return x, y, z


def connected(region: NDArray[np.bool_], seed: Voxel) -> NDArray[np.bool_]:
    """Voxels of a region that are joined to one of them by faces; that one alone where it is not in the region."""
    region = region.copy()
    region[seed] = True
    parts, _ = ndimage.label(region)
    return np.asarray(parts == parts[seed])


def body_of(region: NDArray[np.bool_], seed: Voxel, voxel_size_mm: Sequence[float]) -> tuple[NDArray[np.bool_], float]:
    """Take from a region what hangs on its body: a morphological opening by a ball that suits its size.

    Parameters
    ----------
    region
        (x, y, z) of a box.
    seed
        Voxel of the region.
    voxel_size_mm
        Along the axes.

    Returns
    -------
    tuple
        (x, y, z) the body, with the seed, all joined by faces; and its depth, the radius in mm of the ball that fits
        into it.

    Notes
    -----
    The deepest place is found from the seed, each time within the ball that fits where one is. The region is opened by
    a ball of half the depth there: what is thinner and leads further away, such as cortex that the region leaked into,
    is cut off.
    """
    box = bounding_box(region, (1, 1, 1))
    x, y, z = (at - part.start for at, part in zip(seed, box, strict=True))
    inside, start = region[box], (x, y, z)
    depth = ndimage.distance_transform_edt(np.pad(inside, 1), sampling=voxel_size_mm)[1:-1, 1:-1, 1:-1]
    deepest = _deepest(depth, start, voxel_size_mm)
    radius_mm = float(depth[deepest])
    ball_mm = _THINNER * radius_mm
    parts, _ = ndimage.label(depth >= ball_mm, structure=_TOUCHING)
    wide = parts == parts[deepest]
    near = ndimage.distance_transform_edt(~wide, sampling=voxel_size_mm) <= ball_mm + 0.75 * min(voxel_size_mm)
    near &= distance_from(inside.shape, deepest, voxel_size_mm) <= _LONG * radius_mm + _LONG_MM
    body = np.zeros_like(region)
    body[box] = connected(inside & near, start)
    return body, radius_mm


def _deepest(depth: NDArray[np.float64], start: Voxel, voxel_size_mm: Sequence[float]) -> Voxel:
    """Go from a voxel to the deepest one within the ball that fits there and a voxel more, until there is none."""
    at = start
    while True:
        reach = float(depth[at]) + 1.01 * max(voxel_size_mm)
        x, y, z = (
            slice(max(0, int(here - reach / size)), int(here + reach / size) + 1)
            for here, size in zip(at, voxel_size_mm, strict=True)
        )
        part = depth[x, y, z]
        here = (at[0] - x.start, at[1] - y.start, at[2] - z.start)
        within = np.where(distance_from(part.shape, here, voxel_size_mm) <= reach, part, 0.0)
        a, b, c = (int(i) for i in np.unravel_index(int(np.argmax(within)), within.shape))
        if within[a, b, c] <= depth[at]:
            return at
        at = (a + x.start, b + y.start, c + z.start)
