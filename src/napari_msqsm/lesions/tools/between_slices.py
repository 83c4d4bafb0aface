"""Slices of a lesion between those that were drawn, by signed distance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

from napari_msqsm.lesions.tools.window import checked_axis, flat_index, label_window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_TOUCHING = np.ones((3, 3), dtype=bool)
_FAR = 1e6


@dataclass(frozen=True, eq=False)
class FilledGaps:
    """What a lesion gets between its drawn slices.

    Parameters
    ----------
    index
        (n,) flat index, C order, sorted: voxels without a label in slices where the lesion has none.
    slices
        Slices that were filled.
    unmatched_parts
        How many parts of drawn slices have no counterpart on the other side of a gap: they end where they were drawn.
    """

    index: NDArray[np.int64]
    slices: tuple[int, ...]
    unmatched_parts: int


class _Pair(NamedTuple):
    """What becomes one another across a gap: signed distances to two shapes, their radii, and the way of the centre."""

    first_mm: NDArray[np.float64]
    second_mm: NDArray[np.float64]
    radii_mm: float
    way: NDArray[np.float64]


def fill_between_slices(labels: NDArray[Any], label: int, *, axis: int, voxel_size_mm: Sequence[float]) -> FilledGaps:
    """Fill the slices between drawn ones.

    Across each gap, the shape at part ``t`` of the way is where

    ``(1 − t) d₁(x − t s) + t d₂(x + (1 − t) s) ≤ 0``

    with the signed distances ``d`` in mm (negative inside) to the shapes of the drawn slices on either side and ``s``
    the way from the centre of one to that of the other: a shape that only moves keeps its size on the way, whether or
    not both overlap. Shapes with holes keep them.

    Parameters
    ----------
    labels
        (X, Y, Z).
    label
        Of the lesion.
    axis
        Axis perpendicular to the drawn slices.
    voxel_size_mm
        Along the axes.

    Returns
    -------
    FilledGaps
        What to add. Drawn slices stay as they are, other lesions too.

    Raises
    ------
    ParameterError
        When there is no such axis.

    Notes
    -----
    Each slice is taken apart in its touching parts. Parts of both sides that overlap become one another, all those that
    overlap in a chain together. Of the others, pairs are made so that the ways are shortest in sum, none longer than
    the radii of both parts and the gap (45°) together. A slice with one part only, facing one with one part only,
    always makes a pair.
    Signed distances: Raya SP, Udupa JK. IEEE Trans Med Imaging 1990;9:32 (doi 10.1109/42.52980). Differs from the
    paper: shapes are shifted upon one another first.
    """
    checked_axis(axis)
    window = label_window(labels, label)
    if window is None:
        return FilledGaps(np.empty(0, dtype=np.int64), (), 0)
    part = np.moveaxis(labels[window], axis, 0)
    own = part == label
    drawn = np.flatnonzero(own.any(axis=(1, 2)))
    pixel = [float(size) for other, size in enumerate(voxel_size_mm) if other != axis]
    added = np.zeros_like(own)
    filled, unmatched = [], 0
    for before, after in pairwise(drawn):
        if after - before < 2:
            continue
        gap_mm = float(after - before) * float(voxel_size_mm[axis])
        pairs, alone = _pairs(own[before], own[after], pixel, gap_mm)
        unmatched += alone
        for between in range(int(before) + 1, int(after)):
            at = (between - before) / (after - before)
            for pair in pairs:
                first = _shifted(pair.first_mm, at * pair.way, pixel)
                second = _shifted(pair.second_mm, (at - 1) * pair.way, pixel)
                added[between] |= (1 - at) * first + at * second <= 0
            filled.append(between + window[axis].start)
    added &= part == 0
    return FilledGaps(flat_index(np.moveaxis(added, 0, axis), window, labels.shape), tuple(filled), unmatched)


def _signed_distance(shape: NDArray[np.bool_], pixel: Sequence[float]) -> NDArray[np.float64]:
    """Distance in mm to the edge, half a pixel from the centres next to it; negative inside."""
    outside = ndimage.distance_transform_edt(~np.pad(shape, 1), sampling=pixel)
    inside = ndimage.distance_transform_edt(np.pad(shape, 1), sampling=pixel)
    return np.asarray(outside - inside)[1:-1, 1:-1]


def _shifted(distance: NDArray[np.float64], way_mm: NDArray[np.float64], pixel: Sequence[float]) -> NDArray[np.float64]:
    """Move an image of signed distances; what comes from beyond the border is further away than the border."""
    index = np.indices(distance.shape, dtype=np.float64)
    beyond = np.zeros(distance.shape)
    for along, by, size, n in zip(index, way_mm, pixel, distance.shape, strict=True):
        along -= by / size
        beyond += (np.maximum(np.maximum(-along, along - (n - 1)), 0.0) * size) ** 2
    return np.asarray(ndimage.map_coordinates(distance, index, order=1, mode="nearest")) + np.sqrt(beyond)


def _pairs(
    first: NDArray[np.bool_], second: NDArray[np.bool_], pixel: Sequence[float], gap_mm: float
) -> tuple[list[_Pair], int]:
    """Which parts of two slices become one another, and how many have no counterpart."""
    parts1, n1 = ndimage.label(first, structure=_TOUCHING)
    parts2, n2 = ndimage.label(second, structure=_TOUCHING)
    both = first & second
    joined = np.unique(np.stack([parts1[both], parts2[both]], axis=1), axis=0)
    groups = _chains(joined)
    pairs = [_pair(np.isin(parts1, list(a)), np.isin(parts2, list(b)), pixel) for a, b in groups]
    left1 = [part for part in range(1, n1 + 1) if not any(part in a for a, _ in groups)]
    left2 = [part for part in range(1, n2 + 1) if not any(part in b for _, b in groups)]
    if not (left1 and left2):
        return pairs, len(left1) + len(left2)
    candidates = [[_pair(parts1 == a, parts2 == b, pixel) for b in left2] for a in left1]
    ways = np.array([[float(np.linalg.norm(one.way)) for one in row] for row in candidates])
    reach = np.array([[one.radii_mm + gap_mm for one in row] for row in candidates])
    if n1 > 1 or n2 > 1:
        ways[ways > reach] = _FAR
    rows, columns = linear_sum_assignment(ways)
    found = [candidates[i][j] for i, j in zip(rows, columns, strict=True) if ways[i, j] < _FAR]
    return pairs + found, len(left1) + len(left2) - 2 * len(found)


def _pair(first: NDArray[np.bool_], second: NDArray[np.bool_], pixel: Sequence[float]) -> _Pair:
    centre1, centre2 = (np.argwhere(shape).mean(axis=0) * np.asarray(pixel) for shape in (first, second))
    radii_mm = _radius(first, pixel) + _radius(second, pixel)
    return _Pair(_signed_distance(first, pixel), _signed_distance(second, pixel), radii_mm, centre2 - centre1)


def _radius(shape: NDArray[np.bool_], pixel: Sequence[float]) -> float:
    """Radius in mm of a disc of the same area."""
    return float(np.sqrt(np.count_nonzero(shape) * np.prod(pixel) / np.pi))


def _chains(joined: NDArray[Any]) -> list[tuple[set[int], set[int]]]:
    """Find groups of parts of two slices that overlap in a chain."""
    groups: list[tuple[set[int], set[int]]] = []
    for a, b in ((int(a), int(b)) for a, b in joined):
        hit = [group for group in groups if a in group[0] or b in group[1]]
        groups = [group for group in groups if group not in hit]
        groups.append(({a}.union(*(group[0] for group in hit)), {b}.union(*(group[1] for group in hit))))
    return groups
