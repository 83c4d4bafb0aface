"""Trilinear interpolation at scattered points, with its gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of

if TYPE_CHECKING:
    from napari_msqsm._backend import Array
    from napari_msqsm.registration.host.frames import Rows

Coordinates = tuple["Array", "Array", "Array"]
"""Three (n,) arrays."""


@dataclass(frozen=True, eq=False)
class Interpolated:
    """Values at points.

    Parameters
    ----------
    value
        (n,) interpolated; of the nearest point of the image where a point lies outside.
    gradient
        (n,) each: derivative along the three voxel axes, per voxel; exact between voxel centres.
    inside
        (n,) 1 where a point lies between voxel centres of the image, 0 elsewhere.
    """

    value: Array
    gradient: Coordinates
    inside: Array


def trilinear(flat: Array, shape: tuple[int, int, int], at: Coordinates) -> Interpolated:
    """Interpolate linearly between the eight nearest voxels.

    Parameters
    ----------
    flat
        (X·Y·Z,) image, its last axis running fastest.
    shape
        X, Y, Z; at least 2 each.
    at
        Points in voxel coordinates.
    """
    xp = namespace_of(flat)
    inside = None
    corner, along = [], []
    for u, n in zip(at, shape, strict=True):
        within = xp.logical_and(u >= 0, u <= n - 1)
        inside = within if inside is None else xp.logical_and(inside, within)
        u = xp.clip(u, 0.0, float(n - 1))
        low = xp.clip(xp.floor(u), 0.0, float(n - 2))
        along.append(u - low)
        corner.append(xp.astype(low, xp.int64))
    _, ny, nz = shape
    base = (corner[0] * ny + corner[1]) * nz + corner[2]
    x, y, z = along
    faces, steps_y, steps_z = [], [], []
    for dx in (0, 1):
        edges, steps = [], []
        for dy in (0, 1):
            start = base + (dx * ny + dy) * nz if dx or dy else base
            near = xp.take(flat, start)
            step = xp.take(flat, start + 1) - near
            edges.append(near + step * z)
            steps.append(step)
        step_y = edges[1] - edges[0]
        faces.append(edges[0] + step_y * y)
        steps_y.append(step_y)
        steps_z.append(steps[0] + (steps[1] - steps[0]) * y)
    step_x = faces[1] - faces[0]
    gradient = (step_x, steps_y[0] + (steps_y[1] - steps_y[0]) * x, steps_z[0] + (steps_z[1] - steps_z[0]) * x)
    return Interpolated(faces[0] + step_x * x, gradient, xp.astype(inside, flat.dtype))


def nearest(flat: Array, shape: tuple[int, int, int], at: Coordinates) -> Array:
    """Value of the nearest voxel; 0 outside the image."""
    xp = namespace_of(flat)
    inside = None
    index = None
    for u, n in zip(at, shape, strict=True):
        i = xp.floor(u + 0.5)
        within = xp.logical_and(i >= 0, i <= n - 1)
        inside = within if inside is None else xp.logical_and(inside, within)
        i = xp.astype(xp.clip(i, 0.0, float(n - 1)), xp.int64)
        index = i if index is None else index * n + i
    value = xp.take(flat, index)
    return xp.where(inside, value, xp.zeros_like(value))


def mapped(matrix: Rows, at: Coordinates) -> Coordinates:
    """Points after an affine map."""
    x, y, z = at
    a, b, c = (row[0] * x + row[1] * y + row[2] * z + row[3] for row in matrix)
    return a, b, c
