"""T2* from R2*."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of

if TYPE_CHECKING:
    from napari_msqsm._backend import Array

LONGEST_T2STAR_S = 1.0
"""Longer ones cannot be told from infinity with echo trains of some 50 ms; water in the ventricles stays below."""


def t2star_from_r2star(r2star_hz: Array, *, mask: Array, longest_s: float = LONGEST_T2STAR_S) -> Array:
    """Effective transverse relaxation time 1/R2*.

    Parameters
    ----------
    r2star_hz
        (X, Y, Z) in 1/s.
    mask
        (X, Y, Z) bool.
    longest_s
        Longer times, and those of voxels that do not decay, are set to this one.

    Returns
    -------
    Array
        (X, Y, Z) in s, zero outside the mask.
    """
    xp = namespace_of(r2star_hz, mask)
    decays = r2star_hz > 1.0 / longest_s
    time = xp.where(
        decays, 1.0 / xp.where(decays, r2star_hz, xp.ones_like(r2star_hz)), longest_s * xp.ones_like(r2star_hz)
    )
    return xp.where(mask, time, xp.zeros_like(time))
