"""The brush, in mm; the eraser is the same with label 0."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import ParameterError
from napari_msqsm.lesions.tools.window import checked_axis, flat_index, is_inside, nearest_voxel, window_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def brush_voxels(
    shape: Sequence[int],
    voxel_size_mm: Sequence[float],
    start: Sequence[float],
    end: Sequence[float] | None = None,
    *,
    radius_mm: float,
    axis: int | None = None,
) -> NDArray[np.int64]:
    """Voxels under a round brush on its straight way from one position to the next.

    A voxel is painted when its centre lies within ``radius_mm`` of the way, a distance in mm; and, so that a fine brush
    leaves no gap, when the way leads through it (looked at every quarter of a voxel).

    Parameters
    ----------
    shape
        (X, Y, Z) of the image.
    voxel_size_mm
        Along its axes.
    start, end
        Positions in voxel coordinates; a single dab where there is no ``end``. They may lie beyond the image.
    radius_mm
        Of the brush.
    axis
        Axis perpendicular to the slice in which is painted: that of ``start``. None paints in space, a ball.

    Returns
    -------
    NDArray
        (n,) flat index, C order, sorted.

    Raises
    ------
    ParameterError
        When the radius is not a positive number of mm, or there is no such axis.
    """
    if not (math.isfinite(radius_mm) and radius_mm > 0):
        raise ParameterError(f"the brush has a radius of {radius_mm:g} mm; it must be above 0")
    size = np.asarray(voxel_size_mm, dtype=np.float64)
    first = np.asarray(start, dtype=np.float64)
    last = first if end is None else np.asarray(end, dtype=np.float64)
    reach = radius_mm / size
    if axis is not None:
        slice_index = nearest_voxel(start)[checked_axis(axis)]
        first, last = first.copy(), last.copy()
        first[axis] = last[axis] = slice_index
        reach[axis] = 0.0
    window = window_between(shape, np.minimum(first, last) - reach, np.maximum(first, last) + reach)
    along = [(np.arange(part.start, part.stop) - at) * edge for part, at, edge in zip(window, first, size, strict=True)]
    x, y, z = np.ix_(*along)
    way = (last - first) * size
    length2 = float(way @ way)
    nearest = np.clip((x * way[0] + y * way[1] + z * way[2]) / length2, 0.0, 1.0) if length2 > 0 else 0.0
    squared = (x - nearest * way[0]) ** 2 + (y - nearest * way[1]) ** 2 + (z - nearest * way[2]) ** 2
    painted = flat_index(np.asarray(squared <= radius_mm**2 * (1 + 1e-9)), window, shape)
    return np.union1d(painted, _under(shape, first, last))


def _under(shape: Sequence[int], first: NDArray[np.float64], last: NDArray[np.float64]) -> NDArray[np.int64]:
    """Voxels that the way leads through."""
    steps = math.ceil(4 * float(np.abs(last - first).max()))
    at = first + (last - first) * np.linspace(0.0, 1.0, steps + 1)[:, None]
    voxels = np.unique(np.floor(at + 0.5).astype(np.int64), axis=0)
    inside = [voxel for voxel in voxels if is_inside(voxel, shape)]
    if not inside:
        return np.empty(0, dtype=np.int64)
    return np.asarray(np.ravel_multi_index(tuple(np.array(inside).T), tuple(shape)), dtype=np.int64)
