"""A contour or polygon that was drawn in a slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import ParameterError
from napari_msqsm.lesions.tools.window import checked_axis, flat_index, window_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


def contour_voxels(shape: Sequence[int], vertices: ArrayLike, *, axis: int) -> NDArray[np.int64]:
    """Voxels of a slice whose centres a contour encloses.

    The contour closes itself from its last vertex to the first. What it encloses an even number of times lies outside
    (even-odd rule), so that a loop within a loop cuts a hole. A centre that lies on the contour belongs to one side
    only: areas that share an edge share no voxel.

    Parameters
    ----------
    shape
        (X, Y, Z) of the image.
    vertices
        (n, 3) positions in voxel coordinates, in order; vertices may repeat and may lie beyond the image.
    axis
        Axis perpendicular to the slice. The slice is that of most vertices.

    Returns
    -------
    NDArray
        (n,) flat index, C order, sorted; empty where fewer than three vertices, or no voxel's centre, are enclosed.

    Raises
    ------
    ParameterError
        When the vertices are not finite positions in space, or there is no such axis.
    """
    checked_axis(axis)
    points = np.asarray(vertices, dtype=np.float64)
    if points.size == 0:
        return np.empty(0, dtype=np.int64)
    if points.ndim != 2 or points.shape[1] != 3 or not np.all(np.isfinite(points)):
        raise ParameterError(f"a contour is a list of finite positions (x, y, z), got shape {points.shape}")
    slices, votes = np.unique(np.floor(points[:, axis] + 0.5), return_counts=True)
    low, high = points.min(axis=0), points.max(axis=0)
    low[axis] = high[axis] = slices[np.argmax(votes)]
    window = window_between(shape, low, high)
    u, v = (other for other in range(3) if other != axis)
    inside = _enclosed(points[:, u], points[:, v], window[u], window[v])
    if window[axis].start == window[axis].stop:
        return np.empty(0, dtype=np.int64)
    return flat_index(np.expand_dims(inside, axis), window, shape)


def _enclosed(u: NDArray[np.float64], v: NDArray[np.float64], rows: slice, columns: slice) -> NDArray[np.bool_]:
    """(row, column) whether a centre has an odd number of edges of the contour before it in its row."""
    at = np.arange(rows.start, rows.stop)[:, None]
    next_u, next_v = np.roll(u, -1), np.roll(v, -1)
    row, edge = np.nonzero((u <= at) != (next_u <= at))
    part = (row + rows.start - u[edge]) / (next_u[edge] - u[edge])
    crossing = v[edge] + part * (next_v[edge] - v[edge])
    n_columns = columns.stop - columns.start
    first = np.clip(np.floor(crossing).astype(np.int64) + 1 - columns.start, 0, n_columns)
    turns = np.zeros((len(at), n_columns + 1), dtype=np.int64)
    np.add.at(turns, (row, first), 1)
    return np.asarray(np.cumsum(turns, axis=1)[:, :-1] % 2 == 1)
