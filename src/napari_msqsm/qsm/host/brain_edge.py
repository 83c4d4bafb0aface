"""Holes and edge of a brain mask, the same after every method (host only)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import ndimage

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.host.components import filled, largest_part
from napari_msqsm.qsm.host.distance import edge_distance_mm
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray


class BrainEdgeSettings(Settings):
    """What happens to holes and edge of a brain mask."""

    min_phase_quality: float = quantity(
        0.8,
        ge=0,
        lt=1,
        top=True,
        help="Voxels at the edge are dropped while the phase around them is less coherent than this (1: smooth, "
        "0.2: noise). 0 is off.",
        source="a spread of 0.67 rad, or a slope of 0.8 rad a voxel, between the first two echoes",
    )
    holes: Literal["fill", "keep"] = quantity(
        "fill", help="Enclosed voxels without signal or with random phase: part of the mask, or left out of it."
    )
    erosion_mm: float = quantity(0.0, ge=0, unit="mm", top=True, help="Rim taken off the finished mask.")


def with_edge(
    brain: NDArray[np.bool_],
    *,
    tissue: NDArray[np.bool_],
    phase_quality: NDArray[Any] | None,
    voxel_size_mm: tuple[float, float, float],
    settings: BrainEdgeSettings,
) -> NDArray[np.bool_]:
    """Drop what has random phase at the edge, treat holes, take off a rim.

    Parameters
    ----------
    brain
        (X, Y, Z) mask without holes. Where the image cuts it there is no edge.
    tissue
        (X, Y, Z) voxels with enough signal.
    phase_quality
        (X, Y, Z) between 0 and 1, or None when there is no phase.
    voxel_size_mm
        Voxel edges.
    settings
        Limits.

    Raises
    ------
    InputError
        When nothing is left.
    """
    bad = np.zeros_like(brain)
    if phase_quality is not None and settings.min_phase_quality > 0:
        bad = phase_quality < settings.min_phase_quality
        reached = ndimage.binary_propagation(~brain, mask=~brain | bad)
        brain = filled(largest_part(brain & ~reached)) if not reached.all() else brain & ~reached
    if settings.holes == "keep":
        brain = brain & tissue & ~bad
    if settings.erosion_mm > 0:
        brain = brain & (edge_distance_mm(brain, voxel_size_mm) > settings.erosion_mm)
    if not brain.any():
        raise InputError(
            "the brain mask is empty; lower brain_mask.erosion_mm or brain_mask.min_phase_quality, "
            "or give a mask (--mask)"
        )
    return np.asarray(brain, dtype=bool)
