"""White matter that references may be taken from: no partial volume, no veins, no deep grey matter."""

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
_ABOVE_NOISE = 8.0
_IRON_MM = 1.5


class GroundSettings(Settings):
    """What is left out of the white matter."""

    partial_volume_mm: float = quantity(
        1.0,
        ge=0,
        unit="mm",
        help="White matter nearer than this to anything else is left out: voxels there are partly grey matter or "
        "fluid. Measured from the middle of a voxel to the edge of the other one, so that voxels that touch another "
        "tissue within their slice always go.",
    )
    least_part_mm3: float = quantity(
        500.0, ge=0, unit="mm³", help="Parts of the white matter that are smaller than this are left out."
    )
    vein_ppb: float = quantity(
        6.0,
        gt=0,
        unit="ppb",
        help="A voxel is vein when a tube filter answers with more than this on the susceptibility map, and with more "
        "than eight times the usual answer inside white matter, which is noise; a tube answers with a quarter of its "
        "height at most.",
        source="Sato 1998, doi 10.1016/S1361-8415(98)80009-1",
    )
    vein_margin_mm: float = quantity(1.0, ge=0, unit="mm", help="Distance kept from veins.")
    iron_ppb: float = quantity(
        50.0,
        gt=0,
        unit="ppb",
        help="Voxels whose susceptibility, smoothed over 1.5 mm, is this far above the median of the white matter are "
        "deep grey matter or blood, whatever they look like on other images.",
        source="deep grey matter lies 45 to 190 ppb above white matter, doi 10.1016/j.neuroimage.2012.05.049",
    )


def reference_ground(
    white: NDArray[np.bool_],
    brain: NDArray[np.bool_],
    grid: Grid,
    *,
    chi_ppm: NDArray[Any] | None = None,
    settings: GroundSettings | None = None,
) -> NDArray[np.bool_]:
    """Take the parts of the white matter that are nothing but white matter.

    Parameters
    ----------
    white, brain
        (X, Y, Z) white matter, and where the map has a value.
    grid
        Of all images.
    chi_ppm
        (X, Y, Z) susceptibility map, by which veins and iron are found; nothing is known of them without it.

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
        inside &= depth > settings.partial_volume_mm + 0.5 * min(grid.voxel_size_mm)
    if chi_ppm is None or not inside.any():
        return np.asarray(inside)
    chi_ppb = continued(np.nan_to_num(chi_ppm, nan=0.0), brain, grid).astype(np.float32) * np.float32(PPB_PER_PPM)
    smooth = ndimage.gaussian_filter(chi_ppb, [_IRON_MM / step for step in grid.voxel_size_mm])
    inside &= smooth < float(np.median(smooth[inside])) + settings.iron_ppb
    return np.asarray(inside & ~_veins(chi_ppb, inside, brain, grid, settings))


def _veins(
    chi_ppb: NDArray[np.float32],
    white: NDArray[np.bool_],
    brain: NDArray[np.bool_],
    grid: Grid,
    settings: GroundSettings,
) -> NDArray[np.bool_]:
    """Voxels of the brain that a bright tube goes through, with a margin."""
    answer = vesselness(chi_ppb, grid, scales_mm=_SCALES_MM, mask=brain)
    usual = answer[white & (answer > 0)]
    limit = max(settings.vein_ppb, _ABOVE_NOISE * float(np.median(usual)) if usual.size else 0.0)
    veins = answer > limit
    if settings.vein_margin_mm > 0 and veins.any():
        veins = ndimage.distance_transform_edt(~veins, sampling=grid.voxel_size_mm) <= settings.vein_margin_mm
    return np.asarray(veins)
