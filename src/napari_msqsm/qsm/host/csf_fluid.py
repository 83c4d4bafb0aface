"""Cerebrospinal fluid without partial volume, of the ventricles or of the whole brain (host only)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import ndimage

from napari_msqsm.qsm.host.distance import edge_distance_mm, within_mm
from napari_msqsm.qsm.host.shading import local_level
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHADING_MM = 20.0
_INSIDE_QUANTILE = 0.7
_CUTS_MM = (0.0, 1.0, 2.0, 3.0)
_MAD_TO_SD = 1.4826


class FluidCsfSettings(Settings):
    """Pure CSF by R2* and signal."""

    method: Literal["fluid"] = "fluid"
    region: Literal["ventricles", "global"] = quantity(
        "ventricles",
        top=True,
        help="Fluid deep in the brain that is not open to the surface, or all fluid with that of sulci and cisterns.",
        source="doi 10.1002/mrm.26946 and 10.1111/jon.12923",
    )
    r2star_share: float = quantity(
        0.5,
        gt=0,
        lt=1,
        help="Fluid has an R2* below this part of the brain's median: half way between fluid and tissue at any field.",
    )
    most_deviation_sd: float = quantity(
        2.0,
        gt=0,
        top=True,
        help="Partial volume: voxels are kept while their signal is this many robust standard deviations from that "
        "inside the fluid, towards tissue.",
    )
    least_depth_mm: float = quantity(
        10.0, ge=0, unit="mm", help="Ventricles: parts of the fluid that come nearer to the surface are sulci."
    )
    least_deep: float = quantity(
        0.4, ge=0, le=1, help="Ventricles: a part reaches this share of the greatest depth of the brain."
    )
    least_volume_mm3: float = quantity(50.0, ge=0, unit="mm³", help="Smaller parts are left out.")
    rim_mm: float = quantity(
        3.0, ge=0, unit="mm", help="Global: distance kept from the surface, where the field is least certain."
    )


def csf_by_fluid(
    r2star_hz: NDArray[Any],
    *,
    mask: NDArray[np.bool_],
    voxel_size_mm: tuple[float, float, float],
    signal: NDArray[Any] | None = None,
    settings: FluidCsfSettings | None = None,
) -> NDArray[np.bool_]:
    r"""Voxels that hold nothing but CSF; empty when none is found.

    Fluid has a low R2*. Where it is thick its signal is known, relative to the tissue around it: voxels whose signal
    differs towards that of tissue are partly tissue. Ventricles are the parts of this fluid that lie deep and do not
    reach the surface, if need be after cutting necks of 1, 2 and 3 mm half-width.

    Parameters
    ----------
    r2star_hz
        (X, Y, Z), 1/s.
    mask
        (X, Y, Z) brain. Where the image cuts it there is no surface.
    voxel_size_mm
        Voxel edges.
    signal
        (X, Y, Z) magnitude extrapolated to TE = 0; without it partial volume is judged by R2* alone.

    Notes
    -----
    Differs from the papers (Liu 2018, doi 10.1002/mrm.26946; Dimov 2022, doi 10.1111/jon.12923): the limit of R2* is
    relative to the brain's, partial volume is looked at, and no centre of the brain is needed.
    """
    settings = settings or FluidCsfSettings()
    nothing = np.zeros(mask.shape, dtype=bool)
    if not mask.any():
        return nothing
    low = mask & (r2star_hz < settings.r2star_share * float(np.median(r2star_hz[mask])))
    if not low.any():
        return nothing
    contrast = None
    if signal is not None:
        tissue = mask & ~low
        contrast = signal / np.maximum(
            local_level(signal, tissue, width_mm=_SHADING_MM, voxel_size_mm=voxel_size_mm), 1e-12
        )
    fluid = _pure(low, contrast, settings.most_deviation_sd)
    edge_mm = edge_distance_mm(mask, voxel_size_mm)
    if settings.region == "global":
        return _large(fluid & (edge_mm > settings.rim_mm), voxel_size_mm, settings.least_volume_mm3)
    found = _enclosed(fluid, edge_mm, voxel_size_mm, settings)
    return _pure(found, contrast, settings.most_deviation_sd)


def _enclosed(
    fluid: NDArray[np.bool_],
    edge_mm: NDArray[np.float64],
    voxel_size_mm: tuple[float, float, float],
    settings: FluidCsfSettings,
) -> NDArray[np.bool_]:
    """Deep parts that are not open to the surface; parts that are may be so through a neck, which is cut."""
    found = np.zeros(fluid.shape, dtype=bool)
    clearance_mm = edge_distance_mm(fluid, voxel_size_mm)
    deep_mm = settings.least_deep * float(edge_mm.max())
    voxel_mm3 = float(np.prod(voxel_size_mm))
    for cut_mm in _CUTS_MM:
        core = clearance_mm > cut_mm
        parts, count = ndimage.label(core)
        if count == 0:
            break
        part, depth_mm = parts[core], edge_mm[core]
        shallowest, deepest = np.full(count + 1, np.inf), np.zeros(count + 1)
        np.minimum.at(shallowest, part, depth_mm)
        np.maximum.at(deepest, part, depth_mm)
        large = np.bincount(part, minlength=count + 1) * voxel_mm3 >= settings.least_volume_mm3
        taken = large & (shallowest >= settings.least_depth_mm) & (deepest >= deep_mm)
        taken[0] = False
        found |= fluid & within_mm(taken[parts], cut_mm, voxel_size_mm)
    return found


def _pure(region: NDArray[np.bool_], contrast: NDArray[Any] | None, most_deviation_sd: float) -> NDArray[np.bool_]:
    """Leave out voxels whose signal lies between that of the region's inside and that of tissue, which is 1."""
    if contrast is None or not region.any():
        return region
    inside = contrast[_inside(region)]
    middle = float(np.median(inside))
    spread = _MAD_TO_SD * float(np.median(np.abs(inside - middle)))
    towards_tissue = contrast - middle if middle < 1 else middle - contrast
    return np.asarray(region & (towards_tissue <= most_deviation_sd * spread))


def _inside(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the third of the region's voxels that have most neighbours in it."""
    neighbours = ndimage.convolve(region.astype(np.uint8), np.ones((3, 3, 3), dtype=np.uint8), mode="constant")
    return region & (neighbours >= np.quantile(neighbours[region], _INSIDE_QUANTILE))


def _large(
    region: NDArray[np.bool_], voxel_size_mm: tuple[float, float, float], least_volume_mm3: float
) -> NDArray[np.bool_]:
    """Parts with at least this volume."""
    parts, _ = ndimage.label(region)
    large = np.bincount(parts.ravel()) * float(np.prod(voxel_size_mm)) >= least_volume_mm3
    large[0] = False
    return np.asarray(large[parts], dtype=bool)
