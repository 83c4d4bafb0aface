r"""The phase by which every second echo of a bipolar readout differs.

Its gradients are played out the other way round: delays and eddy currents turn its phase by ψ, which is smooth in space
and mostly linear along the readout. Between three equally spaced echoes, offset and field cancel:

.. math:: \phi_{e} - 2 \phi_{e+1} + \phi_{e+2} = \mp 2 \psi

with minus where the middle one is one of those that are reversed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.phase_offset.smooth_phase import smooth_phase
from napari_msqsm.qsm.robust import count

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


def even_odd_phase(
    magnitude: Array, phase_rad: Array, *, mask: Array, voxel_size_mm: tuple[float, float, float], sd_mm: float
) -> Array:
    """ψ of the second, fourth, … echo.

    Parameters
    ----------
    magnitude, phase_rad
        (echo, X, Y, Z), three or more equally spaced echoes.
    mask
        (X, Y, Z) bool.
    voxel_size_mm
        Voxel edges.
    sd_mm
        Standard deviation of the Gaussian that smooths it.

    Returns
    -------
    Array
        (X, Y, Z) in rad, zero outside the mask. Half a turn more makes the same echoes as a field of half a period
        more, so that it is known up to half turns: the median of each connected part is within ±π/2.
    """
    xp = namespace_of(magnitude, phase_rad)
    real, imaginary = xp.zeros_like(phase_rad[0, ...]), xp.zeros_like(phase_rad[0, ...])
    for echo in range(phase_rad.shape[0] - 2):
        sign = -1.0 if echo % 2 == 0 else 1.0
        turn = sign * (phase_rad[echo, ...] - 2.0 * phase_rad[echo + 1, ...] + phase_rad[echo + 2, ...])
        weight = magnitude[echo + 1, ...] * xp.sqrt(magnitude[echo, ...] * magnitude[echo + 2, ...])
        real += weight * xp.cos(turn)
        imaginary += weight * xp.sin(turn)
    return 0.5 * smooth_phase(real, imaginary, mask=mask, voxel_size_mm=voxel_size_mm, sd_mm=sd_mm)


def size_rad(psi_rad: Array, mask: Array) -> float:
    """Root mean square over the mask."""
    xp = namespace_of(psi_rad, mask)
    inside = psi_rad[mask]
    return math.sqrt(float(xp.sum(inside * inside)) / max(1, count(mask)))
