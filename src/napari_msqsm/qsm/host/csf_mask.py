"""Cerebrospinal fluid, the reference of susceptibility, by one of several methods (host only)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from napari_msqsm.qsm.host.csf_fluid import FluidCsfSettings, csf_by_fluid
from napari_msqsm.qsm.host.csf_r2star import R2starCsfSettings, csf_by_r2star
from napari_msqsm.qsm.method import run_method

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

CsfMaskSettings = Annotated[R2starCsfSettings | FluidCsfSettings, Field(discriminator="method")]

METHODS: Mapping[type, Callable[..., NDArray[np.bool_]]] = {
    R2starCsfSettings: csf_by_r2star,
    FluidCsfSettings: csf_by_fluid,
}


def csf_mask(
    r2star_hz: NDArray[Any],
    *,
    mask: NDArray[np.bool_],
    voxel_size_mm: tuple[float, float, float],
    signal: NDArray[Any] | None = None,
    settings: R2starCsfSettings | FluidCsfSettings | None = None,
) -> NDArray[np.bool_]:
    """Voxels of CSF, by the method of the settings; empty when none is found.

    Parameters
    ----------
    r2star_hz
        (X, Y, Z), 1/s.
    mask
        (X, Y, Z) brain.
    voxel_size_mm
        Voxel edges.
    signal
        (X, Y, Z) magnitude extrapolated to TE = 0.
    """
    settings = settings or R2starCsfSettings()
    found: NDArray[np.bool_] = run_method(
        METHODS[type(settings)],
        r2star_hz,
        mask=mask,
        voxel_size_mm=voxel_size_mm,
        signal=signal,
        settings=settings,
    )
    return found
