"""Brain from the gradient-echo magnitude, by one of several methods (host only)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from napari_msqsm.qsm.host.brain_opening import OpeningSettings, brain_opening
from napari_msqsm.qsm.host.brain_surface import SurfaceSettings, brain_surface

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

BrainMaskSettings = Annotated[SurfaceSettings | OpeningSettings, Field(discriminator="method")]

METHODS: Mapping[type, Callable[..., NDArray[np.bool_]]] = {
    SurfaceSettings: brain_surface,
    OpeningSettings: brain_opening,
}


def brain_mask(
    magnitude: NDArray[Any],
    *,
    voxel_size_mm: tuple[float, float, float],
    phase_quality: NDArray[Any] | None = None,
    settings: SurfaceSettings | OpeningSettings | None = None,
) -> NDArray[np.bool_]:
    """Brain voxels of a gradient-echo magnitude, by the method of the settings.

    Parameters
    ----------
    magnitude
        (X, Y, Z), root sum of squares over echoes.
    voxel_size_mm
        Voxel edges.
    phase_quality
        (X, Y, Z) between 0 and 1, see `napari_msqsm.qsm.phase_quality`; without it the edge follows the signal alone.

    Raises
    ------
    InputError
        When there is no signal that stands out, or nothing is left of the mask.
    """
    settings = settings or SurfaceSettings()
    return METHODS[type(settings)](
        magnitude, voxel_size_mm=voxel_size_mm, phase_quality=phase_quality, settings=settings
    )
