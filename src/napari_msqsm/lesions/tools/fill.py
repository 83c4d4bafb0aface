"""Holes of a lesion, and the enclosed area at a click."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_msqsm.errors import ParameterError
from napari_msqsm.lesions.tools.window import Window, checked_axis, flat_index, is_inside, label_window, nearest_voxel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def holes_in_volume(labels: NDArray[Any], label: int) -> NDArray[np.int64]:
    """Voxels without a label that a lesion encloses on all sides.

    Parameters
    ----------
    labels
        (X, Y, Z).
    label
        Of the lesion.

    Returns
    -------
    NDArray
        (n,) flat index, C order, sorted. A hole is open where it leads out through faces of voxels; at the border of
        the image it is open too. Voxels of other lesions stay theirs.
    """
    window = label_window(labels, label)
    return _holes(labels, label, window, None) if window is not None else np.empty(0, dtype=np.int64)


def holes_in_slice(labels: NDArray[Any], label: int, *, axis: int, position: int) -> NDArray[np.int64]:
    """Voxels without a label that a lesion encloses within a slice.

    Parameters
    ----------
    labels, label
        As in `holes_in_volume`.
    axis, position
        Axis perpendicular to the slice, and which slice it is.

    Returns
    -------
    NDArray
        (n,) flat index, C order, sorted.

    Raises
    ------
    ParameterError
        When there is no such axis or slice.
    """
    return _holes(labels, label, slice_window(labels.shape, axis, position), axis)


def enclosed_area(
    labels: NDArray[Any],
    click: Sequence[float],
    *,
    axis: int,
    within: Window | None = None,
) -> NDArray[np.int64]:
    """Area without a label about a click that voxels with labels enclose within the slice.

    Parameters
    ----------
    labels
        (X, Y, Z).
    click
        Position in voxel coordinates.
    axis
        Axis perpendicular to the slice.
    within
        Box beyond which it is not looked, such as what is shown of the slice; the whole slice when not given.

    Returns
    -------
    NDArray
        (n,) flat index, C order, sorted; empty where the click is on a lesion. Areas are joined through edges of voxels
        in the slice, not through corners.

    Raises
    ------
    ParameterError
        When the click is beyond the image, or the area is open at the border of the slice or of the box.
    """
    checked_axis(axis)
    voxel = nearest_voxel(click)
    if not is_inside(voxel, labels.shape):
        raise ParameterError(f"the click at voxel {voxel} is beyond the image of shape {labels.shape}")
    window = list(within or slice_window(labels.shape, axis, voxel[axis]))
    window[axis] = slice(voxel[axis], voxel[axis] + 1)
    x, y, z = window
    free = labels[x, y, z] == 0
    at = tuple(along - part.start for along, part in zip(voxel, window, strict=True))
    if not is_inside(at, free.shape):
        raise ParameterError(f"the click at voxel {voxel} is beyond the box that was given; click inside it")
    if not free[at]:
        return np.empty(0, dtype=np.int64)
    parts, _ = ndimage.label(free)
    area = np.asarray(parts == parts[at])
    for other in range(3):
        if other != axis and (area.take(0, axis=other).any() or area.take(-1, axis=other).any()):
            raise ParameterError("the area about the click is open; close its border first, or fill holes instead")
    return flat_index(area, (x, y, z), labels.shape)


def slice_window(shape: Sequence[int], axis: int, position: int) -> Window:
    """One slice of an image.

    Raises
    ------
    ParameterError
        When there is no such axis or slice.
    """
    if not 0 <= position < shape[checked_axis(axis)]:
        raise ParameterError(
            f"slice {position} is none of the {shape[axis]} slices along axis {axis}, 0 to {shape[axis] - 1}"
        )
    x, y, z = (slice(position, position + 1) if other == axis else slice(0, n) for other, n in enumerate(shape))
    return x, y, z


def _holes(labels: NDArray[Any], label: int, window: Window, axis: int | None) -> NDArray[np.int64]:
    """Holes of a lesion in a box; in its slices where the axis perpendicular to them is given, in space otherwise."""
    part = labels[window]
    faces = ndimage.generate_binary_structure(3, 1)
    if axis is not None:
        faces &= np.indices(faces.shape)[axis] == 1
    whole = ndimage.binary_fill_holes(part == label, structure=faces)
    return flat_index(whole & (part == 0), window, labels.shape)
