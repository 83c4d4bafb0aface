"""Which lesions of two sessions lie at the same place, with some tolerance for misalignment and partial volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.lesions.label_cloud import LabelCloud

TOLERANCE_MM = 1.0
"""A voxel counts as overlapping another lesion this far away: an alignment that may be used is better than that."""
SAME_PLACE = 0.5
"""Two lesions lie at the same place where at least this part of one of them overlaps the other."""
_DIAGONAL = 3.0**-0.5
_BITS = 32
_LOW = (1 << _BITS) - 1


@dataclass(frozen=True)
class Overlap:
    """A lesion of one session and one of another at the same place.

    Parameters
    ----------
    first, second
        Their labels.
    of_first, of_second
        Part of each that lies within the tolerance of the other, 0 … 1.
    volume_mm3
        Volume of the first that lies in the second itself, without tolerance.
    """

    first: int
    second: int
    of_first: float
    of_second: float
    volume_mm3: float

    @property
    def share(self) -> float:
        """Part of that one which overlaps more."""
        return max(self.of_first, self.of_second)


def overlaps(first: LabelCloud, second: LabelCloud, *, tolerance_mm: float = TOLERANCE_MM) -> tuple[Overlap, ...]:
    """Find the pairs of lesions of two sessions that lie at the same place.

    Parameters
    ----------
    first, second
        Lesions of two sessions; nothing is interpolated, voxels of one are looked up in the image of the other.
    tolerance_mm
        A voxel overlaps a lesion where that has a voxel at its middle, or this far from it in one of 14 directions.

    Returns
    -------
    tuple of Overlap
        Those of which at least half of one lies within the tolerance of the other.
    """
    one, exact = _parts(first, second, tolerance_mm)
    other, _ = _parts(second, first, tolerance_mm)
    pairs = sorted(set(one) | {(a, b) for b, a in other})
    found = (
        Overlap(a, b, one.get((a, b), 0.0), other.get((b, a), 0.0), exact.get((a, b), 0) * first.voxel_mm3)
        for a, b in pairs
    )
    return tuple(each for each in found if each.share >= SAME_PLACE)


def beyond(first: LabelCloud, second: LabelCloud) -> frozenset[int]:
    """Lesions of the first session of which more than half lies outside the image of the second."""
    points, labels = first.voxels
    outside = second.at(points) < 0
    every, whole = np.unique(labels, return_counts=True)
    parts = np.array([np.count_nonzero(outside & (labels == label)) for label in every]) if outside.any() else 0 * whole
    return frozenset(int(label) for label, n, part in zip(every, whole, parts, strict=True) if part > 0.5 * n)


def _parts(
    first: LabelCloud, second: LabelCloud, tolerance_mm: float
) -> tuple[dict[tuple[int, int], float], dict[tuple[int, int], int]]:
    """Part of each lesion that lies near one of the other session, and its voxels that lie in it."""
    points, labels = first.voxels
    looked_up = np.stack([second.at(points + offset) for offset in _offsets(tolerance_mm)], axis=1)
    sizes = np.bincount(labels)
    looked_up.sort(axis=1)
    once = looked_up > 0
    once[:, 1:] &= looked_up[:, 1:] != looked_up[:, :-1]
    rows, _ = np.nonzero(once)
    near = {pair: n / int(sizes[pair[0]]) for pair, n in _counts(labels[rows], looked_up[once]).items()}
    here = second.at(points)
    return near, _counts(labels[here > 0], here[here > 0])


def _counts(first: NDArray[np.int64], second: NDArray[np.int64]) -> dict[tuple[int, int], int]:
    """How often each pair of labels occurs."""
    codes, counts = np.unique((first << _BITS) | second, return_counts=True)
    return {(int(code >> _BITS), int(code & _LOW)): int(n) for code, n in zip(codes, counts, strict=True)}


def _offsets(tolerance_mm: float) -> NDArray[np.float64]:
    """List the place itself, then 6 directions along the axes and 8 along the diagonals."""
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    diagonals = _DIAGONAL * np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, -1).T
    return np.concatenate([np.zeros((1, 3)), tolerance_mm * axes, tolerance_mm * diagonals])
