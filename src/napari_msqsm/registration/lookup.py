"""Points of one image looked up in another under any map between them, with the derivative by that map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_msqsm._backend import namespace_of, to_numpy
from napari_msqsm.registration.host.frames import inverse, rows, translation
from napari_msqsm.registration.interpolation import mapped, trilinear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm._backend import Array
    from napari_msqsm.registration.interpolation import Coordinates
    from napari_msqsm.registration.pyramid import LevelImage
    from napari_msqsm.registration.sampling import SamplePoints


@dataclass(frozen=True, eq=False)
class Lookup:
    """The other image at the sample points, under one map.

    Parameters
    ----------
    value
        (n,) grey level of the other image; where points lie on thick slices, averaged over the slice's profile.
    weight
        (n,) of every point, 0 where it lies outside the other image.
    slopes, tilts
        (n,) each: slopes of the other image per voxel; those weighted by the offset within the slice (None where
        slices are not thicker than the other image's voxels).
    """

    value: Array
    weight: Array
    slopes: Coordinates
    tilts: Coordinates | None


class SampledImage:
    """Sample points of one image, to be looked up in the other.

    Parameters
    ----------
    points
        Of the one image.
    other
        The other image at this level.
    offsets
        Where, as parts of the distance between slices, the other image is averaged; (0,) for thin slices.
    """

    def __init__(self, points: SamplePoints, other: LevelImage, *, offsets: tuple[float, ...]) -> None:
        self.points, self._other, self._offsets = points, other, offsets
        self._to_voxel = inverse(other.affine)
        self.total_weight = float(namespace_of(points.weight).sum(points.weight))

    def looked_up(self, matrix: NDArray[Any]) -> Lookup:
        """Look the points up under a (4, 4) map from their scanner space to the other image's, mm."""
        points = self.points
        whole = self._to_voxel @ matrix @ translation(points.centre_mm)
        at = mapped(rows(whole), points.at_mm)
        if self._offsets == (0.0,) or points.slice_mm is None:
            found = trilinear(self._other.flat, self._other.shape, at)
            return Lookup(found.value, points.weight * found.inside, found.gradient, None)
        steps = [float(step) for step in whole[:3, :3] @ points.slice_mm]
        weight, part = points.weight, 1.0 / len(self._offsets)
        sums: list[Array] = []
        for offset in self._offsets:
            x, y, z = (u + step * offset for u, step in zip(at, steps, strict=True))
            found = trilinear(self._other.flat, self._other.shape, (x, y, z))
            weight = weight * found.inside
            terms = [found.value, *found.gradient, *(slope * offset for slope in found.gradient)]
            sums = terms if not sums else [total + term for total, term in zip(sums, terms, strict=True)]
        value, a, b, c, d, e, f = (total * part for total in sums)
        return Lookup(value, weight, (a, b, c), (d, e, f))

    def by_matrix(self, found: Lookup, by_value: Array) -> NDArray[Any]:
        """Turn the derivative by ``found.value`` into that by the (3, 4) map, on the host."""
        xp = namespace_of(by_value)
        sums = []
        for axis in range(3):
            pull = by_value * found.slopes[axis]
            sums += [*(xp.sum(pull * u) for u in self.points.at_mm), xp.sum(pull)]
            if found.tilts is not None:
                sums.append(xp.sum(by_value * found.tilts[axis]))
        columns = to_numpy(xp.stack(sums)).astype("float64").reshape(3, -1)
        by_voxel = columns[:, :4]
        if found.tilts is not None and self.points.slice_mm is not None:
            by_voxel = by_voxel + columns[:, 4:] * [*self.points.slice_mm, 0.0]
        by_map: NDArray[Any] = self._to_voxel[:3, :3].T @ by_voxel @ translation(self.points.centre_mm).T
        return by_map
