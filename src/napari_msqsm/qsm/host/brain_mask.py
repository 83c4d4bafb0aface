"""Brain from the gradient-echo magnitude (host only).

Threshold at a part of the deep brain's signal, opening by a sphere in mm that breaks the bridges to scalp and eyes,
the part around the head's centre, closed holes. It needs no template and works on slabs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import ndimage

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.host.distance import depth_mm
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DEEP_MM = 20.0
_HEAD_SIGNAL = 0.15
"""Part of the range of the signal above which a voxel belongs to the head."""
_EMPTY = 0.3
"""An image whose darkest voxels are brighter than this part of the brightest has no air in it: a crop of brain."""


class BrainMaskSettings(Settings):
    """Brain mask from the magnitude."""

    method: Literal["opening"] = "opening"
    threshold: float = quantity(
        0.45, gt=0, lt=1, top=True, help="Signal, as a part of the deep brain's, below which a voxel is not brain."
    )
    opening_radius_mm: float = quantity(
        5.0, ge=0, unit="mm", help="Bridges to scalp and eyes thinner than twice this are cut."
    )
    erosion_mm: float = quantity(0.0, ge=0, unit="mm", top=True, help="Rim taken off the finished mask.")


def brain_mask(
    magnitude: NDArray[Any],
    *,
    voxel_size_mm: tuple[float, float, float],
    settings: BrainMaskSettings | None = None,
) -> NDArray[np.bool_]:
    """Brain voxels of a gradient-echo magnitude.

    Parameters
    ----------
    magnitude
        (X, Y, Z), root sum of squares over echoes.
    voxel_size_mm
        Voxel edges.

    Raises
    ------
    InputError
        When there is no signal that stands out.
    """
    settings = settings or BrainMaskSettings()
    if not np.any(magnitude > 0) or float(np.ptp(magnitude)) == 0.0:
        raise InputError("the magnitude has no contrast, so that no brain can be found; give a brain mask (--mask)")
    low, high = np.quantile(magnitude, (0.02, 0.98))
    head = _filled(magnitude > low + _HEAD_SIGNAL * (high - low)) if low < _EMPTY * high else magnitude > 0
    depth = depth_mm(head, voxel_size_mm)
    deep = depth >= min(_DEEP_MM, 0.6 * float(depth.max()))
    tissue = (magnitude > settings.threshold * float(np.median(magnitude[deep]))) & head
    core = _edge_distance_mm(tissue, voxel_size_mm) > settings.opening_radius_mm
    if not core.any():
        raise InputError(
            "no brain was found in the magnitude; lower brain_mask.opening_radius_mm or give a mask (--mask)"
        )
    parts, count = ndimage.label(core)
    overlap = ndimage.sum_labels(deep, parts, np.arange(1, count + 1)) + 1e-3 * np.bincount(parts.ravel())[1:]
    core = parts == 1 + int(np.argmax(overlap))
    reach_mm = ndimage.distance_transform_edt(~core, sampling=voxel_size_mm)
    brain = _filled((reach_mm <= settings.opening_radius_mm) & tissue)
    if settings.erosion_mm > 0:
        brain &= _edge_distance_mm(brain, voxel_size_mm) > settings.erosion_mm
    if not brain.any():
        raise InputError("the brain mask is empty; lower brain_mask.erosion_mm or give a mask (--mask)")
    return np.asarray(brain, dtype=bool)


def _edge_distance_mm(region: NDArray[np.bool_], voxel_size_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    """Distance of each voxel of the region to the nearest voxel outside; the image's border is not an outside."""
    if region.all():
        return np.full(region.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(region, sampling=voxel_size_mm))


def _filled(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill holes in 3-D, and what is enclosed in slices of at least two of the three directions.

    A hole may be open at the border of a slab; two directions, so that the result does not depend on the order of axes.
    """
    out = np.asarray(ndimage.binary_fill_holes(region), dtype=bool)
    votes = np.zeros(region.shape, dtype=np.uint8)
    for axis in range(3):
        plane = np.ones((3, 3, 3), dtype=bool) & ndimage.generate_binary_structure(3, 1)
        plane[tuple(slice(None) if a != axis else slice(0, 1) for a in range(3))] = False
        plane[tuple(slice(None) if a != axis else slice(2, 3) for a in range(3))] = False
        padded = np.pad(out, [(0, 0) if a == axis else (1, 1) for a in range(3)])
        outside = np.zeros_like(padded)
        for other in range(3):
            if other != axis:
                outside[tuple(slice(0, 1) if a == other else slice(None) for a in range(3))] = True
                outside[tuple(slice(-1, None) if a == other else slice(None) for a in range(3))] = True
        reached = ndimage.binary_propagation(outside, structure=plane, mask=~padded)
        inner = tuple(slice(None) if a == axis else slice(1, -1) for a in range(3))
        votes += ~reached[inner] & ~out
    return out | (votes >= 2)
