"""Ventricular cerebrospinal fluid by a threshold on R2* (host only).

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


class R2starCsfSettings(Settings):
    """Ventricular CSF by a threshold on R2*."""

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


def csf_by_r2star(
    r2star_hz: NDArray[Any],
    *,
    mask: NDArray[np.bool_],
    voxel_size_mm: tuple[float, float, float],
    settings: R2starCsfSettings | None = None,
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

    Notes
    -----
    Differs from the toolbox: parts are kept by volume and by reaching the centre, not by being the three largest; a
    distance to the surface keeps sulci out.
    """
    settings = settings or R2starCsfSettings()
    low = mask & (r2star_hz < settings.max_r2star_hz) & (depth_mm(mask, voxel_size_mm) > settings.least_depth_mm)
    if not low.any():
        return low
    centre = np.array(ndimage.center_of_mass(mask)) * voxel_size_mm
    axes = [np.arange(n) * step - c for n, step, c in zip(mask.shape, voxel_size_mm, centre, strict=True)]
    central = sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij", sparse=True)) < settings.centre_radius_mm**2
    parts, count = ndimage.label(low)
    index = np.arange(1, count + 1)
    volume_mm3 = ndimage.sum_labels(low, parts, index) * float(np.prod(voxel_size_mm))
    reaches = ndimage.sum_labels(central, parts, index) > 0
    kept = index[(volume_mm3 >= settings.least_volume_mm3) & reaches]
    return np.asarray(np.isin(parts, kept), dtype=bool)
