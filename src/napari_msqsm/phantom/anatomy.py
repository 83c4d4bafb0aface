"""A person's head as a function of position.

Everything is defined in continuous head coordinates (RAS, mm, origin near the anterior commissure). A head that has
moved is sampled at moved positions: nothing is ever interpolated, and the truth of every pose is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.phantom.composition import Composition, Sampling
from napari_msqsm.phantom.cortex import FOLDED_DEPTH_MM, Cortex, folia_depth
from napari_msqsm.phantom.deep import parts
from napari_msqsm.phantom.head import HEAD_BOX, brainstem, cavity, cerebellum, cerebrum, compose_head
from napari_msqsm.phantom.noise import WaveNoise
from napari_msqsm.phantom.shapes import Points, coverage, path_box, tube
from napari_msqsm.phantom.tissue import Tissue
from napari_msqsm.phantom.veins import Vein, draw_veins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.phantom.shapes import Point

_WARP_MM = 1.6
_WARP_MARGIN_MM = 6.0


@dataclass(frozen=True, eq=False)
class Anatomy:
    """One person's head.

    Parameters
    ----------
    scale
        Size relative to the template, per axis.
    warp
        Smooth displacement that makes heads differ and their halves unequal.
    cortex, veins, ventricle_scale
        The person's own folding, vessels, ventricles.
    mottle
        Fine and coarse unevenness of tissue.
    """

    scale: Point
    warp: tuple[WaveNoise, WaveNoise, WaveNoise]
    cortex: Cortex
    veins: tuple[Vein, ...]
    ventricle_scale: float
    mottle: tuple[WaveNoise, WaveNoise]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Anatomy:
        """Draw a person."""
        overall = rng.uniform(0.91, 0.97)
        sx, sy, sz = (float(overall * rng.uniform(0.98, 1.02)) for _ in range(3))
        a, b, c = (WaveNoise.drawn(rng, (60.0, 140.0), 5) for _ in range(3))
        return cls(
            scale=(sx, sy, sz),
            warp=(a, b, c),
            cortex=Cortex.drawn(rng),
            veins=draw_veins(rng),
            ventricle_scale=float(rng.uniform(0.95, 1.3)),
            mottle=(WaveNoise.drawn(rng, (6.0, 14.0), 24), WaveNoise.drawn(rng, (18.0, 50.0), 14)),
        )

    @property
    def box(self) -> tuple[Point, Point]:
        """Box in head coordinates outside of which there is only air."""
        (x0, y0, z0), (x1, y1, z1) = HEAD_BOX
        sx, sy, sz = self.scale
        return (x0 * sx, y0 * sy, z0 * sz), (x1 * sx, y1 * sy, z1 * sz)

    def template(self, points: Points) -> Points:
        """Template coordinates of head coordinates."""
        sx, sy, sz = (np.float32(1.0 / s) for s in self.scale)
        q = Points(points.x * sx, points.y * sy, points.z * sz)
        dx, dy, dz = (np.float32(_WARP_MM) * wave(q) for wave in self.warp)
        return Points(q.x + dx, q.y + dy, q.z + dz)

    def compose(self, sampling: Sampling) -> Composition:
        """Tissue shares at every sample."""
        composition = Composition(sampling.shape, Tissue.AIR)
        where = sampling.block(*self.box)
        if where is None:
            return composition
        edge = sampling.edge_mm / float(np.mean(self.scale))
        points = self.template(sampling.points(where))
        head = Composition(points.x.shape, Tissue.AIR)
        hull, lower, stem = cerebrum(points), cerebellum(points), brainstem(points)
        inside = cavity(points, np.minimum(np.minimum(hull, lower), stem))
        compose_head(head, points, inside, edge)
        self._cerebrum(head, points, hull, edge)
        self._hindbrain(head, points, lower, stem, edge)
        self._parts(head, points, edge)
        self._veins(head, points, edge)
        composition.embed(head, where)
        return composition

    def mottled(self, points: Points) -> NDArray[np.float32]:
        """Unevenness of tissue, about ±1 (two standard deviations), at head coordinates."""
        fine, coarse = self.mottle
        return np.float32(0.42) * fine(points) + np.float32(0.27) * coarse(points)

    def _cerebrum(self, head: Composition, points: Points, hull: NDArray[np.float32], edge: float) -> None:
        brain = hull < np.float32(1.0)
        if not brain.any():
            return
        near = points[brain]
        distance = hull[brain]
        shell = (distance > -np.float32(FOLDED_DEPTH_MM)) | (np.abs(near.x) < np.float32(46.0))
        depth = np.full(distance.shape, 99.0, dtype=np.float32)
        depth[shell] = self.cortex.pial_depth(near[shell], distance[shell])
        head.cover(Tissue.GREY_MATTER, coverage(-depth, edge), brain)
        head.cover(Tissue.WHITE_MATTER, coverage(np.float32(self.cortex.thickness_mm) - depth, edge), brain)

    def _hindbrain(
        self, head: Composition, points: Points, lower: NDArray[np.float32], stem: NDArray[np.float32], edge: float
    ) -> None:
        brain = lower < np.float32(1.0)
        if brain.any():
            near = points[brain]
            depth = folia_depth(near, lower[brain], self.cortex.depth(near))
            head.cover(Tissue.GREY_MATTER, coverage(-depth, edge), brain)
            head.cover(Tissue.WHITE_MATTER, coverage(np.float32(1.7) - depth, edge), brain)
        near_stem = stem < np.float32(1.0)
        if near_stem.any():
            head.cover(Tissue.WHITE_MATTER, coverage(stem[near_stem], edge), near_stem)

    def _parts(self, head: Composition, points: Points, edge: float) -> None:
        for part in parts(self.ventricle_scale):
            where = _inside_box(points, *part.box)
            if where.any():
                head.cover(part.tissue, coverage(part.distance(points[where].folded), edge), where)

    def _veins(self, head: Composition, points: Points, edge: float) -> None:
        for vein in self.veins:
            where = _inside_box(points, *path_box(vein.path, vein.radii_mm))
            if where.any():
                head.cover(Tissue.VEIN, coverage(tube(points[where], vein.path, vein.radii_mm), edge), where)


def _inside_box(points: Points, low: Point, high: Point) -> NDArray[np.bool_]:
    (x0, y0, z0), (x1, y1, z1) = low, high
    where: NDArray[np.bool_] = (points.z > z0) & (points.z < z1)
    if where.any():
        where &= (points.x > x0) & (points.x < x1) & (points.y > y0) & (points.y < y1)
    return where
