"""Brain from the gradient-echo magnitude by a deformable surface (host only).

Source: Smith SM, Human Brain Mapping 2002;17:143 (doi 10.1002/hbm.10062).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import ndimage

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.host.brain_edge import BrainEdgeSettings, with_edge
from napari_msqsm.qsm.host.closed_surface import octasphere, voxels_inside
from napari_msqsm.qsm.host.components import filled, largest_part
from napari_msqsm.qsm.host.deformable_surface import Levels, grown_surface, sphere
from napari_msqsm.qsm.host.distance import border_distance_mm, edge_distance_mm, within_mm
from napari_msqsm.qsm.host.head import head_of
from napari_msqsm.qsm.host.shading import local_level
from napari_msqsm.settings import quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.qsm.host.head import Head

_SMOOTHING_MM = 1.0
_REACH_MM = 20.0
_BEYOND_MM = 25.0
"""How far the surface may leave an image that cuts the head."""
_INNER_MM = 5.0
_SMALLEST_MM, _LARGEST_MM = 5.0, 40.0
"""Radius of the sphere that the surface starts as."""
_DEEP = 0.75
_BRAIN_DEPTH = 0.6


class SurfaceSettings(BrainEdgeSettings):
    """Brain mask by a deformable surface."""

    method: Literal["surface"] = "surface"
    surface_threshold: float = quantity(
        0.5,
        gt=0,
        lt=1,
        help="The surface rests where the signal falls below this part of the local brain's; higher is tighter.",
        source="doi 10.1002/hbm.10062",
    )
    smoothness: float = quantity(
        1.0, gt=0, help="Factor on the stiffness of the surface.", source="doi 10.1002/hbm.10062"
    )
    threshold: float = quantity(
        0.45,
        gt=0,
        lt=1,
        top=True,
        help="Signal, as a part of the brain's around it, below which a voxel at the surface is not brain.",
    )
    margin_mm: float = quantity(
        3.0, ge=0, unit="mm", help="How far beyond the smooth surface tissue is still brain, as in narrow corners."
    )
    opening_radius_mm: float = quantity(
        3.0, ge=0, unit="mm", help="What sticks out of the brain and is thinner than twice this is cut."
    )
    shading_mm: float = quantity(
        20.0, gt=0, unit="mm", help="Length over which the sensitivity of the coils changes the brain's signal."
    )
    subdivisions: int = quantity(
        25,
        ge=4,
        help="Fineness of the surface: parts into which each edge of an octahedron is cut; 25 gives 2,502 vertices.",
        source="doi 10.1002/hbm.10062",
    )
    max_iter: int = quantity(1000, ge=1, help="Most steps of the surface.")


def brain_surface(
    magnitude: NDArray[Any],
    *,
    voxel_size_mm: tuple[float, float, float],
    phase_quality: NDArray[Any] | None = None,
    settings: SurfaceSettings | None = None,
) -> NDArray[np.bool_]:
    """Brain voxels of a gradient-echo magnitude.

    A closed surface grows from the deepest part of the head until it meets the dark skull; what is inside, or up to
    ``margin_mm`` outside, and bright enough for the brain around it is opened by a sphere, and its holes are filled.

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

    Notes
    -----
    Differs from the paper: starts from the deepest part of the head, not its centre of gravity, so that neck and face
    have no say; the sphere is a subdivided octahedron and not an icosahedron, so that the order and direction of the
    axes do not matter; beyond the image's border the surface sees the border again and goes on, so that slabs are not
    closed inside; stops when it has come to rest; the mask follows tissue near the surface, freed of coil shading.
    """
    settings = settings or SurfaceSettings()
    head = head_of(magnitude)
    hull = _hull(magnitude, head, voxel_size_mm, settings) if head.has_air else head.mask
    inner = edge_distance_mm(hull, voxel_size_mm) > _INNER_MM
    level = local_level(
        magnitude, inner if inner.any() else hull, width_mm=settings.shading_mm, voxel_size_mm=voxel_size_mm
    )
    tissue = magnitude > settings.threshold * level
    near = tissue & within_mm(hull, settings.margin_mm, voxel_size_mm)
    core = largest_part(edge_distance_mm(near, voxel_size_mm) > settings.opening_radius_mm)
    if not core.any():
        raise InputError(
            "no brain was found in the magnitude; lower brain_mask.opening_radius_mm or give a mask (--mask)"
        )
    brain = filled(near & within_mm(core, settings.opening_radius_mm, voxel_size_mm))
    return with_edge(brain, tissue=tissue, phase_quality=phase_quality, voxel_size_mm=voxel_size_mm, settings=settings)


def _hull(
    magnitude: NDArray[Any], head: Head, voxel_size_mm: tuple[float, float, float], settings: SurfaceSettings
) -> NDArray[np.bool_]:
    """Voxels inside the deformable surface."""
    room = edge_distance_mm(head.mask, voxel_size_mm)
    depth = np.minimum(room, border_distance_mm(head.mask.shape, voxel_size_mm))
    deepest = float(depth.max())
    brain = float(np.median(magnitude[depth >= _BRAIN_DEPTH * deepest]))
    middle = np.array(ndimage.center_of_mass(depth >= _DEEP * deepest))
    around = tuple(slice(int(np.floor(m)), int(np.ceil(m)) + 1) for m in middle)
    radius = float(np.clip(0.5 * room[around].min(), _SMALLEST_MM, _LARGEST_MM))
    mesh = octasphere(settings.subdivisions)
    widths = [_SMOOTHING_MM / step for step in voxel_size_mm]
    vertices = grown_surface(
        ndimage.gaussian_filter(np.asarray(magnitude, np.float32), widths, mode="nearest"),
        voxel_size_mm=voxel_size_mm,
        levels=Levels.between(head.dark, head.bright, brain),
        start=sphere(mesh, centre_mm=middle * voxel_size_mm, radius_mm=radius),
        mesh=mesh,
        threshold=settings.surface_threshold,
        reach_mm=_REACH_MM,
        beyond_mm=_BEYOND_MM,
        smoothness=settings.smoothness,
        max_iter=settings.max_iter,
    )
    inside = filled(largest_part(voxels_inside(mesh, vertices / voxel_size_mm, magnitude.shape)))
    return inside if inside.any() else head.mask
