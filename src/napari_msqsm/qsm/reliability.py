"""How far each voxel's field can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm._backend import like, namespace_of, to_numpy
from napari_msqsm.qsm.host.components import connected_to
from napari_msqsm.qsm.robust import median_inside
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


class ReliabilitySettings(Settings):
    """Use of the fit's misfit: beside air the signal dephases and no single field describes a voxel."""

    misfit_noise: bool = quantity(
        False, help="Raise a voxel's noise in proportion to its misfit where that exceeds the typical one."
    )
    edge_misfit_limit: float = quantity(
        0.0,
        ge=0,
        help="Voxels at the mask's edge whose misfit exceeds the typical one by this factor are given no field. 0 is "
        "off.",
    )


def weighed_noise(noise_sd_hz: Array, fit_residual: Array, *, mask: Array, settings: ReliabilitySettings) -> Array:
    """Noise of the field with the misfit taken into account.

    Parameters
    ----------
    noise_sd_hz
        (X, Y, Z) from the signal alone.
    fit_residual
        (X, Y, Z) relative misfit of the field fit.
    mask
        (X, Y, Z) bool.
    settings
        What the misfit is used for.

    Returns
    -------
    Array
        (X, Y, Z); 0 where the field is not to be used.
    """
    xp = namespace_of(noise_sd_hz, fit_residual, mask)
    typical = median_inside(fit_residual, mask)
    if not typical > 0:
        return noise_sd_hz
    excess = fit_residual / typical
    noise = noise_sd_hz
    if settings.misfit_noise:
        noise = xp.where(excess > 1, noise * excess, noise)
    if settings.edge_misfit_limit > 0:
        bad = mask & (excess > settings.edge_misfit_limit)
        at_edge = like(connected_to(to_numpy(bad), to_numpy(~mask)), mask)
        noise = xp.where(at_edge, xp.zeros_like(noise), noise)
    return noise
