r"""Noise of a susceptibility map, from the map itself.

.. math:: \sigma = \frac{1.4826 \operatorname{median} |d|}{\sqrt{6^3}}, \quad
   d = \delta_x^2 \delta_y^2 \delta_z^2 \chi, \quad \delta^2 \chi_i = \chi_{i-1} - 2 \chi_i + \chi_{i+1}

over the voxels whose 26 neighbours lie in the mask. White noise of variance 1 has 6³ in d, while whatever is constant
along one of the axes drops out, and the median leaves other edges without a say.

Source: Immerkær J, Comput Vis Image Underst 1996;64:300 (doi 10.1006/cviu.1996.0060), here in three dimensions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.robust import any_of, quantile
from napari_msqsm.units import PPB_PER_PPM

if TYPE_CHECKING:
    from napari_msqsm._backend import Array

_MAD_TO_SD = 1.4826
_SD_OF_DIFFERENCE = math.sqrt(6.0**3)


def chi_noise_ppb(chi_ppm: Array, *, mask: Array) -> float:
    """Compute the standard deviation of the voxel-to-voxel noise of χ.

    Parameters
    ----------
    chi_ppm
        (X, Y, Z).
    mask
        (X, Y, Z) bool.

    Returns
    -------
    float
        In ppb; NaN when no voxel has all its neighbours. Errors that neighbours share (streaks, shading) do not count,
        what the regularisation smoothed away is no longer there, and tissue that changes from voxel to voxel adds to
        it (1 to 2 ppb at 2 mm).
    """
    xp = namespace_of(chi_ppm, mask)
    difference, inner = chi_ppm, mask
    for axis in range(3):
        difference = xp.roll(difference, 1, axis=axis) - 2.0 * difference + xp.roll(difference, -1, axis=axis)
        inner = inner & xp.roll(inner, 1, axis=axis) & xp.roll(inner, -1, axis=axis) & ~_border(inner, axis)
    if not any_of(inner):
        return math.nan
    return PPB_PER_PPM * _MAD_TO_SD * quantile(xp.abs(difference[inner]), 0.5) / _SD_OF_DIFFERENCE


def _border(mask: Array, axis: int) -> Array:
    """First and last plane along an axis, whose neighbours `roll` takes from the other side."""
    out = namespace_of(mask).zeros_like(mask)
    for end in (slice(0, 1), slice(-1, None)):
        out[tuple(end if a == axis else slice(None) for a in range(3))] = True
    return out
