"""A confluent lesion in its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import ndimage
from skimage.segmentation import watershed

from napari_msqsm.errors import ParameterError
from napari_msqsm.lesions.tools.window import Window, flat_index, label_window, nearest_voxel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NECK = 0.75
"""Two parts are one where the neck between them is wider than this part of the thinner one."""
_TOUCHING = 3
_SMOOTHING_VOXELS = 0.5
Pieces = tuple["NDArray[np.int64]", ...]


class _Lesion(NamedTuple):
    """Voxels of a lesion in a box about it, and their smoothed distance in mm to its edge."""

    window: Window
    inside: NDArray[np.bool_]
    depth_mm: NDArray[np.float64]


def split_at_necks(labels: NDArray[Any], label: int, voxel_size_mm: Sequence[float]) -> Pieces:
    """Split a lesion where it has necks.

    Each voxel has its depth, the distance in mm to the edge. A watershed of the depth makes a piece about every place
    that is deeper than all about it. Two pieces stay one when the depth on the way from one to the other (the neck)
    is more than `NECK` of the depth of the shallower one; those with the widest neck are joined first.

    Parameters
    ----------
    labels, label
        (X, Y, Z) what is drawn, and the number of the lesion.
    voxel_size_mm
        Along the axes.

    Returns
    -------
    tuple
        Flat index (C order, sorted) of the voxels of each piece; the largest one, which keeps the label, comes first.
        One piece where there is no neck.

    Raises
    ------
    ParameterError
        When the lesion has no voxel.
    """
    lesion = _lesion(labels, label, voxel_size_mm)
    basins, _ = _joined(lesion, until=lambda neck, _: neck > NECK)
    return _pieces(basins, lesion, labels.shape)


def split_by_number(labels: NDArray[Any], label: int, voxel_size_mm: Sequence[float], *, number: int) -> Pieces:
    """Split a lesion in a number of pieces, at its narrowest necks.

    Parameters
    ----------
    labels, label, voxel_size_mm
        As in `split_at_necks`.
    number
        Of pieces.

    Returns
    -------
    tuple
        As in `split_at_necks`; fewer pieces where it has fewer places that are deeper than all about them.

    Raises
    ------
    ParameterError
        When the number is below 1 or the lesion has no voxel.
    """
    if number < 1:
        raise ParameterError(f"a lesion cannot be split in {number} pieces; give 2 or more")
    lesion = _lesion(labels, label, voxel_size_mm)
    basins, _ = _joined(lesion, until=lambda _, left: left > number)
    return _pieces(basins, lesion, labels.shape)


def split_by_seeds(
    labels: NDArray[Any], label: int, voxel_size_mm: Sequence[float], seeds: Sequence[Sequence[float]]
) -> Pieces:
    """Split a lesion in one piece about each seed, at the necks between them.

    Parameters
    ----------
    labels, label, voxel_size_mm
        As in `split_at_necks`.
    seeds
        Positions in voxel coordinates, each in another voxel of the lesion. Parts of the lesion that touch no part with
        a seed go to the nearest one with a seed.

    Returns
    -------
    tuple
        As in `split_at_necks`.

    Raises
    ------
    ParameterError
        When a seed is beside the lesion, two are in one voxel, there is none, or the lesion has no voxel.
    """
    lesion = _lesion(labels, label, voxel_size_mm)
    markers = np.zeros(lesion.inside.shape, dtype=np.int32)
    for number, seed in enumerate(seeds, start=1):
        voxel = nearest_voxel(seed)
        if (
            any(not part.start <= at < part.stop for at, part in zip(voxel, lesion.window, strict=True))
            or not (lesion.inside[_within(voxel, lesion.window)])
        ):
            raise ParameterError(f"seed {number} at voxel {voxel} is beside the lesion; place it inside")
        if markers[_within(voxel, lesion.window)]:
            raise ParameterError(f"seed {number} is in the same voxel {voxel} as another one; place them apart")
        markers[_within(voxel, lesion.window)] = number
    if not markers.any():
        raise ParameterError("there is no seed; click once in each part of the lesion")
    basins = watershed(-lesion.depth_mm, markers, connectivity=_TOUCHING, mask=lesion.inside)
    left = lesion.inside & (basins == 0)
    if left.any():
        nearest = ndimage.distance_transform_edt(
            basins == 0, sampling=voxel_size_mm, return_distances=False, return_indices=True
        )
        basins = np.where(left, basins[tuple(nearest)], basins)
    return _pieces(basins, lesion, labels.shape)


def _within(voxel: Sequence[int], window: Window) -> tuple[int, int, int]:
    x, y, z = (at - part.start for at, part in zip(voxel, window, strict=True))
    return x, y, z


def _lesion(labels: NDArray[Any], label: int, voxel_size_mm: Sequence[float]) -> _Lesion:
    window = label_window(labels, label)
    if window is None:
        raise ParameterError(f"lesion {label} has no voxel here; choose one that is drawn in this image")
    inside = np.asarray(labels[window] == label)
    padded = np.pad(inside, 1)
    depth = ndimage.distance_transform_edt(padded, sampling=voxel_size_mm)
    depth = np.where(padded, ndimage.gaussian_filter(depth, _SMOOTHING_VOXELS), 0.0)
    return _Lesion(window, inside, depth[1:-1, 1:-1, 1:-1])


def _joined(lesion: _Lesion, *, until: Any) -> tuple[NDArray[np.int32], int]:
    """Join the basins of the depth, those with the relatively widest neck first, as long as ``until`` says so.

    ``until(neck, left)`` gets the neck as a part of the depth of the shallower basin, and how many basins are left.
    """
    basins = watershed(-lesion.depth_mm, connectivity=_TOUCHING, mask=lesion.inside)
    n = int(basins.max())
    peaks = np.zeros(n + 1)
    np.maximum.at(peaks, basins.ravel(), lesion.depth_mm.ravel())
    saddles = _saddles(basins, lesion.depth_mm)
    new = np.arange(n + 1)
    left = n
    while saddles:
        (a, b), depth = max(saddles.items(), key=lambda item: (item[1] / min(peaks[list(item[0])]), item[0]))
        if not until(depth / min(peaks[a], peaks[b]), left):
            break
        new[new == b] = a
        peaks[a] = max(peaks[a], peaks[b])
        merged: dict[tuple[int, int], float] = {}
        for pair, saddle in saddles.items():
            first, second = sorted(a if one == b else one for one in pair)
            if first != second:
                merged[first, second] = max(saddle, merged.get((first, second), 0.0))
        saddles = merged
        left -= 1
    return np.asarray(new[basins], dtype=np.int32), left


def _saddles(basins: NDArray[np.int32], depth_mm: NDArray[np.float64]) -> dict[tuple[int, int], float]:
    """Depth of the deepest place on the border of any two basins that touch."""
    found: dict[tuple[int, int], float] = {}
    steps = [step for step in np.ndindex(3, 3, 3) if step > (1, 1, 1)]
    for step in steps:
        here = tuple(slice(max(0, 1 - s), n - max(0, s - 1)) for s, n in zip(step, basins.shape, strict=True))
        there = tuple(slice(max(0, s - 1), n - max(0, 1 - s)) for s, n in zip(step, basins.shape, strict=True))
        one, other = basins[here], basins[there]
        border = (one != other) & (one > 0) & (other > 0)
        depth = np.minimum(depth_mm[here], depth_mm[there])[border]
        low, high = np.minimum(one, other)[border], np.maximum(one, other)[border]
        for first, second, value in zip(low.tolist(), high.tolist(), depth.tolist(), strict=True):
            found[first, second] = max(value, found.get((first, second), 0.0))
    return found


def _pieces(basins: NDArray[np.int32], lesion: _Lesion, shape: Sequence[int]) -> Pieces:
    """Index of every basin, the largest first; of equals, the one that comes first in the image."""
    numbers = [int(number) for number in np.unique(basins[lesion.inside])]
    pieces = [flat_index(basins == number, lesion.window, shape) for number in numbers]
    return tuple(sorted(pieces, key=lambda index: (-index.size, int(index[0]))))
