r"""Which voxels can be trusted.

.. math:: c = \min\bigl(1, (\bar\sigma / \sigma_e)^2\bigr), \quad
   \sigma_e = \max(\sigma, \; \rho \, \bar\sigma / \bar\rho)

σ is the standard deviation of the field that the signal allows, ρ the misfit of the field fit, the bars are medians
over the mask. A voxel's misfit counts where it exceeds what its noise explains: beside air, in flow, in vessels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.robust import any_of, median_inside

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


def confidence_map(*, noise_sd_hz: Array, fit_residual: Array | None, local_field_hz: Array, mask: Array) -> Array:
    """Precision of each voxel's field relative to the typical voxel's.

    Parameters
    ----------
    noise_sd_hz
        (X, Y, Z), of any scale; 0 where the field is not used.
    fit_residual
        (X, Y, Z) relative misfit, or None; NaN (no phase was fitted) is left out.
    local_field_hz
        (X, Y, Z); where it is exactly 0 no field was measured.
    mask
        (X, Y, Z) bool; voxels that have a χ.

    Returns
    -------
    Array
        (X, Y, Z), 0 … 1: the inverse variance as a part of the typical one. 1 is at least as good as the typical
        voxel, 0.25 has twice its standard deviation; 0 outside the mask and where χ was only carried on from
        neighbours.
    """
    xp = namespace_of(noise_sd_hz, local_field_hz, mask)
    measured = mask & (noise_sd_hz > 0) & (local_field_hz != 0)
    nothing = xp.zeros_like(noise_sd_hz)
    if not any_of(measured):
        return nothing
    typical = median_inside(noise_sd_hz, measured)
    spread = noise_sd_hz
    if fit_residual is not None:
        fitted = measured & xp.isfinite(fit_residual)
        usual = median_inside(fit_residual, fitted) if any_of(fitted) else 0.0
        if usual > 0:
            spread = xp.maximum(spread, xp.where(fitted, fit_residual, nothing) * (typical / usual))
    ratio = typical / xp.where(measured, spread, xp.ones_like(spread))
    return xp.where(measured, xp.clip(ratio * ratio, 0.0, 1.0), nothing)
