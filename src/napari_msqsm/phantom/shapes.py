"""Signed distances to simple shapes in head coordinates (negative inside), in mm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Point = tuple[float, float, float]


class Points:
    """Head coordinates of many points: three float32 arrays of one shape."""

    __slots__ = ("x", "y", "z")

    def __init__(self, x: NDArray[np.float32], y: NDArray[np.float32], z: NDArray[np.float32]) -> None:
        self.x, self.y, self.z = x, y, z

    def __getitem__(self, index: Any) -> Points:
        """Return the points at an index, slice or mask."""
        return Points(self.x[index], self.y[index], self.z[index])

    @property
    def folded(self) -> Points:
        """The same points with the left half mirrored onto the right one (for paired structures)."""
        return Points(np.abs(self.x), self.y, self.z)

    def relative(self, centre: Point, turn_z_deg: float = 0.0, turn_x_deg: float = 0.0) -> Points:
        """Coordinates about a centre, turned about z and then about x."""
        x, y, z = (np.float32(c) for c in centre)
        dx, dy, dz = self.x - x, self.y - y, self.z - z
        if turn_z_deg:
            c, s = (np.float32(f(np.radians(turn_z_deg))) for f in (np.cos, np.sin))
            dx, dy = c * dx + s * dy, c * dy - s * dx
        if turn_x_deg:
            c, s = (np.float32(f(np.radians(turn_x_deg))) for f in (np.cos, np.sin))
            dy, dz = c * dy + s * dz, c * dz - s * dy
        return Points(dx, dy, dz)


def ellipsoid(
    points: Points, centre: Point, radii: Point, *, turn_z_deg: float = 0.0, turn_x_deg: float = 0.0
) -> NDArray[np.float32]:
    """Approximate signed distance to an ellipsoid (exact on its surface, to first order near it)."""
    p = points.relative(centre, turn_z_deg, turn_x_deg)
    a, b, c = (np.float32(1.0 / r) for r in radii)
    u, v, w = (p.x * a) ** 2, (p.y * b) ** 2, (p.z * c) ** 2
    k0 = np.sqrt(u + v + w)
    k1 = np.sqrt(u * a * a + v * b * b + w * c * c)
    return np.asarray(k0 * (k0 - np.float32(1.0)) / np.maximum(k1, np.float32(1e-6)))


def tube(points: Points, path: Sequence[Point], radii: Sequence[float]) -> NDArray[np.float32]:
    """Distance to a tube along straight pieces; the radius changes linearly along each piece."""
    best: NDArray[np.float32] | None = None
    for start, end, r0, r1 in zip(path[:-1], path[1:], radii[:-1], radii[1:], strict=True):
        dx, dy, dz = (np.float32(e - s) for s, e in zip(start, end, strict=True))
        x, y, z = (c - np.float32(s) for c, s in zip((points.x, points.y, points.z), start, strict=True))
        length2 = max(float(dx * dx + dy * dy + dz * dz), 1e-9)
        t = np.clip((x * dx + y * dy + z * dz) * np.float32(1.0 / length2), np.float32(0), np.float32(1))
        distance = np.sqrt((x - t * dx) ** 2 + (y - t * dy) ** 2 + (z - t * dz) ** 2) - (
            np.float32(r0) + np.float32(r1 - r0) * t
        )
        best = distance if best is None else np.minimum(best, distance)
    assert best is not None
    return best


def smooth_union(a: NDArray[np.float32], b: NDArray[np.float32], width_mm: float) -> NDArray[np.float32]:
    """Union of two shapes with a fillet of about ``width_mm``."""
    k = np.float32(width_mm)
    h = np.maximum(k - np.abs(a - b), np.float32(0)) / k
    return np.asarray(np.minimum(a, b) - h * h * k * np.float32(0.25))


def smooth_intersection(a: NDArray[np.float32], b: NDArray[np.float32], width_mm: float) -> NDArray[np.float32]:
    """Intersection of two shapes with a fillet of about ``width_mm``."""
    return -smooth_union(-a, -b, width_mm)


def coverage(distance: NDArray[np.float32], edge_mm: float) -> NDArray[np.float32]:
    """Share of a small cube of this edge that lies inside a shape, from its signed distance at the centre."""
    return np.asarray(np.clip(np.float32(0.5) - distance * np.float32(1.0 / edge_mm), np.float32(0), np.float32(1)))


def path_box(path: Sequence[Point], radii: Sequence[float], margin_mm: float = 1.0) -> tuple[Point, Point]:
    """Corners of a box that holds a tube."""
    reach = max(radii) + margin_mm
    low = np.min(np.asarray(path), axis=0) - reach
    high = np.max(np.asarray(path), axis=0) + reach
    return (float(low[0]), float(low[1]), float(low[2])), (float(high[0]), float(high[1]), float(high[2]))
