"""A box of an image, so that a tool looks at no more than it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import ParameterError, ShapeMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

Window = tuple[slice, slice, slice]
"""Part of an image, as slices with a start and a stop."""


def window_between(shape: Sequence[int], low: Iterable[float], high: Iterable[float]) -> Window:
    """Voxels whose centres lie between two corners, both included; empty slices where there are none.

    Parameters
    ----------
    shape
        Of the image.
    low, high
        (3,) corners in voxel coordinates.
    """
    x, y, z = (
        _part(int(np.ceil(first)), int(np.floor(last)) + 1, n) for first, last, n in zip(low, high, shape, strict=True)
    )
    return x, y, z


def _part(start: int, stop: int, n: int) -> slice:
    start = min(max(start, 0), n)
    return slice(start, max(start, min(stop, n)))


def window_about(
    shape: Sequence[int], centre: Sequence[float], reach_mm: float, voxel_size_mm: Sequence[float]
) -> Window:
    """Voxels within a box of ``reach_mm`` on either side of a position."""
    reach = [reach_mm / size for size in voxel_size_mm]
    low = [at - far for at, far in zip(centre, reach, strict=True)]
    high = [at + far for at, far in zip(centre, reach, strict=True)]
    return window_between(shape, low, high)


def label_window(labels: NDArray[Any], label: int, *, margin: int = 0) -> Window | None:
    """Box about all voxels of a label, ``margin`` voxels wider but never beyond the image; None where there is none."""
    x = np.flatnonzero([bool((part == label).any()) for part in labels])
    if x.size == 0:
        return None
    first, last = int(x[0]), int(x[-1])
    within = labels[first : last + 1] == label
    y, z = np.flatnonzero(within.any(axis=(0, 2))), np.flatnonzero(within.any(axis=(0, 1)))
    low = (first - margin, int(y[0]) - margin, int(z[0]) - margin)
    high = (last + margin, int(y[-1]) + margin, int(z[-1]) + margin)
    return window_between(labels.shape, low, high)


def flat_index(inside: NDArray[np.bool_], window: Window, shape: Sequence[int]) -> NDArray[np.int64]:
    """Flat index in the whole image of the voxels that are inside, of a box that lies at ``window``."""
    x, y, z = np.nonzero(inside)
    _, ny, nz = shape
    index = (x + window[0].start) * ny + (y + window[1].start)
    return np.asarray(index * nz + (z + window[2].start), dtype=np.int64)


def in_window(index: NDArray[np.int64], window: Window, shape: Sequence[int]) -> NDArray[np.bool_]:
    """Box of ``window`` in which the voxels of a flat index are inside; those beyond it are left out."""
    box: NDArray[np.bool_] = np.zeros([part.stop - part.start for part in window], dtype=np.bool_)
    at = np.unravel_index(index, tuple(shape))
    keep = np.ones(len(index), dtype=np.bool_)
    for along, part in zip(at, window, strict=True):
        keep &= (along >= part.start) & (along < part.stop)
    box[tuple(along[keep] - part.start for along, part in zip(at, window, strict=True))] = True
    return box


def checked_axis(axis: int) -> int:
    """Return an axis that is 0, 1 or 2.

    Raises
    ------
    ParameterError
        When it is not.
    """
    if axis not in (0, 1, 2):
        raise ParameterError(f"axis {axis} is none of 0, 1, 2; give the axis that is perpendicular to the slices")
    return axis


def nearest_voxel(position: Sequence[float]) -> tuple[int, int, int]:
    """Voxel that holds a position; half-way goes up."""
    x, y, z = (int(np.floor(along + 0.5)) for along in position)
    return x, y, z


def is_inside(voxel: Sequence[int], shape: Sequence[int]) -> bool:
    """Whether a voxel lies in an image."""
    return all(0 <= along < n for along, n in zip(voxel, shape, strict=True))


def same_shape(image: NDArray[Any], labels: NDArray[Any]) -> None:
    """Refuse an image and labels that do not lie on one grid.

    Raises
    ------
    ShapeMismatchError
        When their shapes differ.
    """
    if image.shape != labels.shape:
        raise ShapeMismatchError(
            f"the image has shape {image.shape} but the labels {labels.shape}; give those that are drawn on this image"
        )
