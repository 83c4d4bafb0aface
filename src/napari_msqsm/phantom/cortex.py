"""Folded cortex: sheets of fluid (sulci) cut into the hull of a hemisphere, with grey matter of even thickness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.phantom.noise import WaveNoise
from napari_msqsm.phantom.shapes import Points, ellipsoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDED_DEPTH_MM = 30.0
"""Deeper than this below the hull there is no cortex (except along the midline)."""

_CENTRE = (0.0, -17.0, 8.0)
_RADII = (68.0, 87.0, 66.0)


@dataclass(frozen=True, eq=False)
class Cortex:
    """One person's folding pattern."""

    folds: WaveNoise
    depth: WaveNoise
    thickness_mm: float
    sulcus_mm: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Cortex:
        """Draw a pattern."""
        return cls(
            folds=WaveNoise.drawn(rng, (21.0, 29.0), 40),
            depth=WaveNoise.drawn(rng, (28.0, 60.0), 12),
            thickness_mm=float(rng.uniform(2.5, 2.9)),
            sulcus_mm=float(rng.uniform(0.45, 0.75)),
        )

    def pial_depth(self, points: Points, hull: NDArray[np.float32]) -> NDArray[np.float32]:
        """Distance below the surface of the cortex, in mm; negative in the fluid of sulci and fissures.

        Parameters
        ----------
        points
            Positions inside or near the hull.
        hull
            Signed distance to the hull at these points, negative inside.
        """
        below = -hull
        projected, stretch = _onto_hull(points)
        value, slope = self.folds.with_slope(projected)
        # the slope has a floor, so that flat places of the noise do not become lakes
        distance = np.abs(value) / np.maximum(slope * stretch, np.float32(0.10))
        reach = np.float32(15.0) + np.float32(4.5) * self.depth(projected)
        sulci = _ending(distance, below - reach)
        opening = np.float32(self.sulcus_mm) + np.float32(1.3) * np.exp(-np.maximum(below, 0) / np.float32(3.0))
        depth = np.minimum(below, sulci - opening)
        depth = np.minimum(depth, self._midline(points))
        return np.minimum(depth, self._sylvian(points, below))

    @staticmethod
    def _midline(points: Points) -> NDArray[np.float32]:
        """Depth below the wall of the fissure between the hemispheres, which ends at the corpus callosum."""
        core = ellipsoid(points, (0.0, -6.0, 4.0), (1e3, 39.0, 28.0))
        return _ending(np.abs(points.x), -core) - np.float32(1.0)

    @staticmethod
    def _sylvian(points: Points, below: NDArray[np.float32]) -> NDArray[np.float32]:
        """Depth below the wall of the lateral fissure, with the insula at its end."""
        sheet = points.z + np.float32(4.0) - np.float32(-0.28) * (points.y + np.float32(5.0))
        sheet = sheet + np.float32(2.5) * np.sin(points.y * np.float32(0.16))
        medial_end = np.float32(37.0) - np.abs(points.x)
        ends = np.maximum(np.maximum(points.y - np.float32(28.0), np.float32(-42.0) - points.y), medial_end)
        wings = np.float32(37.5) - np.abs(points.x) + np.float32(0.004) * (points.y + np.float32(3.0)) ** 2
        insula = np.hypot(wings, np.maximum(np.abs(sheet) - np.float32(13.0), 0))
        opening = np.float32(0.9) + np.float32(1.2) * np.exp(-np.maximum(below, 0) / np.float32(6.0))
        return np.asarray(
            np.minimum(_ending(np.abs(sheet) * np.float32(0.95), ends) - opening, insula - np.float32(0.8))
        )


def _ending(distance: NDArray[np.float32], beyond: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distance to a sheet that ends where ``beyond`` becomes positive."""
    return np.hypot(distance, np.maximum(beyond, np.float32(0)))


def _onto_hull(points: Points) -> tuple[Points, NDArray[np.float32]]:
    """Points pushed outwards (nearly) onto the hull, and by how much lengths along it grow.

    Noise evaluated there hardly changes with depth, so that its zero sheets stand upright on the hull.
    """
    x, y, z = (c - np.float32(m) for c, m in zip((points.x, points.y, points.z), _CENTRE, strict=True))
    a, b, c = (np.float32(1 / r) for r in _RADII)
    radius = np.maximum(np.sqrt((x * a) ** 2 + (y * b) ** 2 + (z * c) ** 2), np.float32(0.25))
    stretch = radius ** np.float32(-0.72)
    return Points(x * stretch, y * stretch, z * stretch), stretch


def folia_depth(points: Points, hull: NDArray[np.float32], ripple: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distance below the surface of the cerebellar cortex, whose folds lie like leaves."""
    below = -hull
    angle = np.arctan2(points.z + np.float32(30.0), -(points.y + np.float32(44.0)))
    radius = np.hypot(points.z + np.float32(30.0), points.y + np.float32(44.0))
    period = np.float32(0.19)
    position = (angle + np.float32(0.03) * ripple) / period
    distance = np.abs(position - np.round(position)) * period * radius
    reach = np.float32(9.0) + np.float32(3.0) * np.cos(np.float32(np.pi) * np.round(position))
    return np.asarray(np.minimum(below, _ending(distance, below - reach) - np.float32(0.35)))
