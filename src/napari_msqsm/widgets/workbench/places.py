"""Where on the screen a lesion, or a change, is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.widgets.workbench.frame import Frame


def widest_place(voxels: NDArray[Any], axis: int) -> NDArray[np.float64]:
    """(3,) centre, in voxels, of the slice in which a region is largest.

    Parameters
    ----------
    voxels
        (n, 3) whole numbers X, Y, Z, at least one.
    axis
        Axis perpendicular to the slices.
    """
    slices, counts = np.unique(voxels[:, axis], return_counts=True)
    widest = slices[np.argmax(counts)]
    return np.asarray(voxels[voxels[:, axis] == widest].mean(axis=0), dtype=np.float64)


def voxels_of(index: NDArray[np.int64], shape: tuple[int, int, int]) -> NDArray[np.int64]:
    """(n, 3) voxels X, Y, Z of a flat index, C order."""
    return np.stack(np.unravel_index(index, shape), axis=-1)


def is_in_view(voxels: NDArray[Any], frame: Frame, axis: int, point: Any, corners: NDArray[np.float64]) -> bool:
    """Whether some of a region is on the screen.

    Parameters
    ----------
    voxels
        (n, 3) X, Y, Z.
    frame
        Of the image.
    axis
        Axis of the image perpendicular to the slice.
    point
        (…, z, y, x) that the sliders are at.
    corners
        (2, 3) first and last voxel (z, y, x) that the canvas shows.
    """
    seen = voxels[voxels[:, axis] == int(np.floor(frame.voxel(point)[axis] + 0.5))]
    if seen.size == 0:
        return False
    ends = np.array([frame.voxel(frame.screen_of_index(corner)) for corner in corners])
    low, high = ends.min(axis=0) - 0.5, ends.max(axis=0) + 0.5
    others = [other for other in range(3) if other != axis]
    return bool(np.any(np.all((seen[:, others] >= low[others]) & (seen[:, others] <= high[others]), axis=1)))
