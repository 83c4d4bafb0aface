"""Wraps that unwrapping left in the field."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.robust import count
from napari_msqsm.qsm.stencils import gradient, pairs_inside

if TYPE_CHECKING:
    from napari_msqsm._backend import Array

_PER_VOXEL = (1.0, 1.0, 1.0)


def wraps_left_fraction(total_field_hz: Array, *, period_hz: float, mask: Array) -> float:
    """Compute the part of the neighbour pairs in the mask between which the field jumps by more than half a period.

    Parameters
    ----------
    total_field_hz
        (X, Y, Z) unwrapped.
    period_hz
        Field that turns the phase between neighbouring echoes by 2π.
    mask
        (X, Y, Z) bool.

    Returns
    -------
    float
        0 when clean; NaN where the period is unknown or no two voxels are neighbours. Beside air the true field of
        large voxels may change as fast, so that few such pairs need not be wraps.
    """
    if not math.isfinite(period_hz):
        return math.nan
    xp = namespace_of(total_field_hz, mask)
    jumps, pairs = 0, 0
    differences = gradient(xp.where(mask, total_field_hz, xp.zeros_like(total_field_hz)), _PER_VOXEL)
    for difference, pair in zip(differences, pairs_inside(mask), strict=True):
        jumps += count(pair & (xp.abs(difference) > 0.5 * period_hz))
        pairs += count(pair)
    return jumps / pairs if pairs else math.nan
