"""White matter that references may be taken from: no partial volume, no veins, no iron."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_msqsm.lesions.vesselness import vesselness
from napari_msqsm.model.resampling.masked import continued
from napari_msqsm.settings import Settings, quantity
from napari_msqsm.units import PPB_PER_PPM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid

_SCALES_MM = (0.75, 1.0, 1.5, 2.0)


class GroundSettings(Settings):
    """What is left out of the white matter."""

    partial_volume_mm: float = quantity(
        1.2,
        ge=0,
        unit="mm",
        help="White matter nearer than this to anything else is left out: voxels there are partly grey matter or "
        "fluid. Of thick slices a voxel counts as nearer only within its slice, unless the next slice lies nearer.",
    )
    least_part_mm3: float = quantity(
        500.0, ge=0, unit="mm³", help="Parts of the white matter that are smaller than this are left out."
    )
    vein_ppb: float = quantity(
        10.0,
        gt=0,
        unit="ppb",
        help="A voxel is vein when a tube filter answers with more than this on the susceptibility map; a tube answers "
        "with a quarter of its height at most.",
        source="Sato 1998, doi 10.1016/S1361-8415(98)80009-1",
    )
    vein_margin_mm: float = quantity(1.0, ge=0, unit="mm", help="Distance kept from veins.")


def reference_ground(
    white: NDArray[np.bool_],
    brain: NDArray[np.bool_],
    grid: Grid,
    *,
    chi_ppm: NDArray[Any] | None = None,
    settings: GroundSettings | None = None,
) -> NDArray[np.bool_]:
    """White matter without partial volume and veins.

    Parameters
    ----------
    white, brain
        (X, Y, Z) white matter, and where the map has a value.
    grid
        Of all images.
    chi_ppm
        (X, Y, Z) susceptibility map, by which veins are found; nothing is known of them without it.

    Returns
    -------
    NDArray
        (X, Y, Z) bool.
    """
    settings = settings or GroundSettings()
    inside = white & brain
    parts, count = ndimage.label(inside)
    if count:
        large = np.bincount(parts.ravel()) * grid.voxel_volume_mm3 >= settings.least_part_mm3
        large[0] = False
        inside = large[parts]
    if settings.partial_volume_mm > 0:
        depth = ndimage.distance_transform_edt(np.pad(inside, 1), sampling=grid.voxel_size_mm)[1:-1, 1:-1, 1:-1]
        inside &= depth > settings.partial_volume_mm
    if chi_ppm is not None and inside.any():
        inside &= ~veins_of(chi_ppm, brain, grid, settings=settings)
    return np.asarray(inside)


def veins_of(
    chi_ppm: NDArray[Any], brain: NDArray[np.bool_], grid: Grid, *, settings: GroundSettings | None = None
) -> NDArray[np.bool_]:
    """Voxels of the brain that a bright tube of the susceptibility map goes through, with a margin."""
    settings = settings or GroundSettings()
    chi_ppb = continued(np.nan_to_num(chi_ppm, nan=0.0), brain, grid) * PPB_PER_PPM
    answer = vesselness(chi_ppb, grid, scales_mm=_SCALES_MM, mask=brain)
    veins = answer > settings.vein_ppb
    if settings.vein_margin_mm > 0 and veins.any():
        veins = ndimage.distance_transform_edt(~veins, sampling=grid.voxel_size_mm) <= settings.vein_margin_mm
    return np.asarray(veins)
