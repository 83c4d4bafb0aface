"""Ventricular cerebrospinal fluid from R2* (host only).

Source: Liu Z et al., MRM 2018;79:2795 (doi 10.1002/mrm.26946): low R2*, connected to the centre of the brain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import ndimage

from napari_msqsm.qsm.host.distance import depth_mm
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray


_INSIDE_QUANTILE = 0.7


class CsfMaskSettings(Settings):
    """Automatic ventricular CSF mask."""

    method: Literal["r2star"] = "r2star"
    max_r2star_hz: float = quantity(
        5.0, gt=0, unit="1/s", top=True, help="CSF has an R2* below this.", source="doi 10.1002/mrm.26946"
    )
    centre_radius_mm: float = quantity(
        30.0,
        gt=0,
        unit="mm",
        help="A ventricle reaches into this sphere around the brain's centre.",
        source="doi 10.1002/mrm.26946",
    )
    least_depth_mm: float = quantity(
        10.0, ge=0, unit="mm", help="Distance kept from the surface, where sulcal CSF lies."
    )
    least_volume_mm3: float = quantity(50.0, ge=0, unit="mm³", help="Smaller parts are left out.")
    most_deviation_sd: float = quantity(
        0.0,
        ge=0,
        help="Partial volume: voxels of the ventricles are kept while R2* and signal lie within this many standard "
        "deviations of the ventricles' inside. 0 is off.",
    )


def csf_mask(
    r2star_hz: NDArray[Any],
    *,
    mask: NDArray[np.bool_],
    voxel_size_mm: tuple[float, float, float],
    signal: NDArray[Any] | None = None,
    settings: CsfMaskSettings | None = None,
) -> NDArray[np.bool_]:
    """Voxels of the ventricles; empty when none is found.

    Parameters
    ----------
    r2star_hz
        (X, Y, Z), 1/s.
    mask
        (X, Y, Z) brain.
    voxel_size_mm
        Voxel edges.
    signal
        (X, Y, Z) magnitude extrapolated to TE = 0; without it partial volume is not looked at.

    Notes
    -----
    Differs from the toolbox: parts are kept by volume and by reaching the centre, not by being the three largest; a
    distance to the surface keeps sulci out; voxels on the edge that hold tissue, too, can be left out.
    """
    settings = settings or CsfMaskSettings()
    low = mask & (r2star_hz < settings.max_r2star_hz) & (depth_mm(mask, voxel_size_mm) > settings.least_depth_mm)
    centre = np.array(ndimage.center_of_mass(mask)) * voxel_size_mm
    axes = [np.arange(n) * step - c for n, step, c in zip(mask.shape, voxel_size_mm, centre, strict=True)]
    central = sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij", sparse=True)) < settings.centre_radius_mm**2
    parts, count = ndimage.label(low)
    if count == 0:
        return np.zeros(mask.shape, dtype=bool)
    index = np.arange(1, count + 1)
    volume_mm3 = ndimage.sum_labels(low, parts, index) * float(np.prod(voxel_size_mm))
    reaches = ndimage.sum_labels(central, parts, index) > 0
    kept = index[(volume_mm3 >= settings.least_volume_mm3) & reaches]
    found = np.asarray(np.isin(parts, kept), dtype=bool)
    if signal is not None and settings.most_deviation_sd > 0 and found.any():
        found &= _deviation_sd(r2star_hz, signal, _inside(found)) < settings.most_deviation_sd
    return found


def _inside(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the third of the region's voxels that have most neighbours in it."""
    neighbours = ndimage.convolve(region.astype(np.uint8), np.ones((3, 3, 3), dtype=np.uint8), mode="constant")
    return region & (neighbours >= np.quantile(neighbours[region], _INSIDE_QUANTILE))


def _deviation_sd(r2star_hz: NDArray[Any], signal: NDArray[Any], core: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Distance from the core in R2* (only above it) and signal, in robust standard deviations."""
    squared = np.zeros(core.shape)
    for image, one_sided in ((r2star_hz, True), (signal, False)):
        middle = float(np.median(image[core]))
        spread = 1.4826 * float(np.median(np.abs(image[core] - middle))) or 1.0
        away = (image - middle) / spread
        squared += (np.maximum(away, 0) if one_sided else away) ** 2
    return np.sqrt(squared)
