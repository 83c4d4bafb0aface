"""Brain from the gradient-echo magnitude by an opening (host only).

Threshold at a part of the deep brain's signal, opening by a sphere in mm that breaks the bridges to scalp and eyes,
the part around the head's centre, closed holes. It needs no template and works on slabs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import ndimage

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.host.brain_edge import BrainEdgeSettings, with_edge
from napari_msqsm.qsm.host.components import filled
from napari_msqsm.qsm.host.distance import depth_mm, edge_distance_mm, within_mm
from napari_msqsm.qsm.host.head import head_of
from napari_msqsm.settings import quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DEEP_MM = 20.0


class OpeningSettings(BrainEdgeSettings):
    """Brain mask by threshold and opening."""

    method: Literal["opening"] = "opening"
    threshold: float = quantity(
        0.45, gt=0, lt=1, top=True, help="Signal, as a part of the deep brain's, below which a voxel is not brain."
    )
    opening_radius_mm: float = quantity(
        5.0, ge=0, unit="mm", help="Bridges to scalp and eyes thinner than twice this are cut."
    )
    min_phase_quality: float = quantity(
        0.0,
        ge=0,
        lt=1,
        help="Voxels at the edge are dropped while the phase around them is less coherent than this (1: smooth, "
        "0.2: noise). 0 is off.",
    )


def brain_opening(
    magnitude: NDArray[Any],
    *,
    voxel_size_mm: tuple[float, float, float],
    phase_quality: NDArray[Any] | None = None,
    settings: OpeningSettings | None = None,
) -> NDArray[np.bool_]:
    """Brain voxels of a gradient-echo magnitude.

    Parameters
    ----------
    magnitude
        (X, Y, Z), root sum of squares over echoes.
    voxel_size_mm
        Voxel edges.
    phase_quality
        (X, Y, Z), coherence of the phase around each voxel.

    Raises
    ------
    InputError
        When there is no signal that stands out.
    """
    settings = settings or OpeningSettings()
    head = head_of(magnitude).mask
    depth = depth_mm(head, voxel_size_mm)
    deep = depth >= min(_DEEP_MM, 0.6 * float(depth.max()))
    tissue = (magnitude > settings.threshold * float(np.median(magnitude[deep]))) & head
    core = edge_distance_mm(tissue, voxel_size_mm) > settings.opening_radius_mm
    if not core.any():
        raise InputError(
            "no brain was found in the magnitude; lower brain_mask.opening_radius_mm or give a mask (--mask)"
        )
    parts, count = ndimage.label(core)
    overlap = ndimage.sum_labels(deep, parts, np.arange(1, count + 1)) + 1e-3 * np.bincount(parts.ravel())[1:]
    core = parts == 1 + int(np.argmax(overlap))
    brain = filled(within_mm(core, settings.opening_radius_mm, voxel_size_mm) & tissue)
    return with_edge(brain, tissue=tissue, phase_quality=phase_quality, voxel_size_mm=voxel_size_mm, settings=settings)
