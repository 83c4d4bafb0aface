"""Deformable surface that grows from inside the head to the edge of the brain (host only).

Source: Smith SM, Human Brain Mapping 2002;17:143 (doi 10.1002/hbm.10062).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_msqsm.qsm.host.closed_surface import Mesh, normals

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHORTEST_RADIUS_MM = 3.33
_LONGEST_RADIUS_MM = 10.0
_TANGENTIAL = 0.5
_INTENSITY = 0.05
_STEP_MM = 2.0
_LEAST_MOVE = 2e-3
"""Mean movement of a step, as a part of the distance between vertices, at which the surface has come to rest."""
_RISE = 0.1
"""Part of the way from dark to bright above which a voxel is head."""


@dataclass(frozen=True)
class Levels:
    """Signal of the darkest (t2), of the edge of the head (t), and of the brain (tm), as Smith calls them."""

    dark: float
    head: float
    brain: float

    @classmethod
    def between(cls, dark: float, bright: float, brain: float) -> Levels:
        """Levels from the ends of the robust range."""
        return cls(dark, dark + _RISE * (bright - dark), brain)


def grown_surface(
    image: NDArray[Any],
    *,
    voxel_size_mm: tuple[float, float, float],
    levels: Levels,
    start: NDArray[np.float64],
    mesh: Mesh,
    threshold: float,
    reach_mm: float,
    beyond_mm: float,
    smoothness: float,
    max_iter: int,
) -> NDArray[np.float64]:
    """Move the vertices of a closed surface outwards while there is brain inside of them.

    Each step moves a vertex along the surface to the middle of its neighbours (evenly spaced vertices), towards their
    plane when the surface bends with a radius below some 5 mm (smooth), and outwards or inwards by
    ``2 (I_min − t) / (I_max − dark)`` with the local threshold ``t = threshold (I_max − dark) + dark``, where I_min and
    I_max are the extremes of the signal on the way inwards.

    Parameters
    ----------
    image
        (X, Y, Z); beyond its border the surface sees the border's voxels again.
    voxel_size_mm
        Voxel edges.
    levels
        Signal of air, head and brain.
    start
        (n, 3) vertices, mm from the centre of the first voxel.
    mesh
        Connectivity.
    threshold
        Part of the local brain's signal below which there is no brain.
    reach_mm
        How far inwards the least signal is looked for; the greatest is looked for half as far.
    beyond_mm
        How far the surface may leave the image.
    smoothness
        Factor on the pull towards the neighbours' plane.
    max_iter
        Most steps.

    Returns
    -------
    NDArray
        (n, 3) vertices, mm.
    """
    voxel = np.asarray(voxel_size_mm)
    low, high = np.full(3, -beyond_mm), (np.array(image.shape) - 1) * voxel + beyond_mm
    depths = np.arange(0.0, reach_mm + 0.5 * _STEP_MM, _STEP_MM)
    near = depths <= 0.5 * reach_mm
    mean_curvature = (1 / _SHORTEST_RADIUS_MM + 1 / _LONGEST_RADIUS_MM) / 2
    steepness = 6 / (1 / _SHORTEST_RADIUS_MM - 1 / _LONGEST_RADIUS_MM)
    vertices = start
    for _ in range(max_iter):
        outward = normals(mesh, vertices)
        towards = mesh.neighbours @ vertices - vertices
        spacing = _spacing(mesh, vertices)
        along = np.sum(towards * outward, axis=1, keepdims=True)
        flattening = along * outward
        curvature = 2 * np.abs(along) / spacing**2
        pull = smoothness * (1 + np.tanh(steepness * (curvature - mean_curvature))) / 2

        places = (vertices[:, None, :] - depths[:, None] * outward[:, None, :]) / voxel
        signal = ndimage.map_coordinates(image, np.moveaxis(places, -1, 0), order=1, mode="nearest", output=np.float32)
        least = np.clip(signal.min(1), levels.dark, levels.brain)
        most = np.clip(signal[:, near].max(1), levels.head, levels.brain)
        local = threshold * (most - levels.dark) + levels.dark
        push = 2 * (least - local) / np.maximum(most - levels.dark, 1e-12)
        move = (
            _TANGENTIAL * (towards - flattening)
            + np.minimum(pull, 1) * flattening
            + (_INTENSITY * spacing * push[:, None]) * outward
        )
        moved = np.clip(vertices + move, low, high)
        travelled = float(np.abs(np.sum((moved - vertices) * outward, axis=1)).mean())
        vertices = moved
        if travelled < _LEAST_MOVE * spacing:
            break
    return vertices


def sphere(mesh: Mesh, *, centre_mm: NDArray[np.float64], radius_mm: float) -> NDArray[np.float64]:
    """(n, 3) vertices of a sphere."""
    return np.asarray(centre_mm + radius_mm * mesh.directions)


def _spacing(mesh: Mesh, vertices: NDArray[np.float64]) -> float:
    """Mean distance between neighbours."""
    a, b, c = (vertices[mesh.faces[:, k]] for k in range(3))
    return float(np.mean([np.linalg.norm(p - q, axis=1).mean() for p, q in ((a, b), (b, c), (c, a))]))
