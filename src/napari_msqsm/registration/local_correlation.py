r"""Squared correlation of two images within blocks, with its analytic gradient.

.. math::

   C = \frac{\sum_b w_b\, \rho_b^2}{\sum_b w_b}, \qquad
   \rho_b^2 = \frac{\operatorname{cov}_b(f, m)^2}{(\operatorname{var}_b f + s^2)(\operatorname{var}_b m + s^2)}

over blocks of a centimetre or two, s² a little noise. Whatever is constant within a block has no say: coil shading, and
how bright a part of the head is. Mutual information over the whole head follows its strongest edges instead, those
between brain, fluid and bone, which two scanners do not show in the same place; that stretches a head by 2 %.

Source: local correlation as in Avants BB et al., Med Image Anal 2008;12:26 (doi 10.1016/j.media.2007.06.004). Differs:
blocks of sample points instead of a window about every voxel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_msqsm._backend import histogram, namespace_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm._backend import Array
    from napari_msqsm.registration.lookup import Lookup
    from napari_msqsm.registration.pair import Pair
    from napari_msqsm.registration.sampling import SamplePoints

_NOISE_VARIANCE = 1e-4
"""Of grey levels 0…1; blocks without contrast do not correlate."""
_LEAST_WEIGHT = 15.0
"""Of the points of a block; the correlation of a few points is chance."""


class LocalCorrelation:
    """Mean squared correlation of a pair within blocks, as a function of the map fixed → moving.

    Parameters
    ----------
    pair
        Points of both images.
    block_mm
        Edge of a block.
    """

    name = "squared correlation of blocks"

    def __init__(self, pair: Pair, *, block_mm: float) -> None:
        self._pair = pair
        self._blocks = [_Blocks(side.image.points, block_mm) for side in pair.sides]

    def value(self, matrix: NDArray[Any]) -> float:
        """Value 0…1."""
        return self.value_and_gradient(matrix)[0]

    def value_and_gradient(self, matrix: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        """Value 0…1, and its (3, 4) derivative by the map; 0 where no block has enough points inside."""
        lookups = self._pair.looked_up(matrix)
        parts = [blocks.correlation(found) for blocks, found in zip(self._blocks, lookups, strict=True)]
        share = 1.0 / len(parts)
        by_values = [by_value * share for _, by_value in parts]
        return share * sum(value for value, _ in parts), self._pair.by_matrix(matrix, lookups, by_values)


class _Blocks:
    """Sample points of one image, by block."""

    def __init__(self, points: SamplePoints, block_mm: float) -> None:
        xp = namespace_of(points.value)
        self._points = points
        self._block: Array = None
        self._count = 1
        for u in points.at_mm:
            place = xp.astype(xp.floor((u - float(xp.min(u))) * (1.0 / block_mm)), xp.int64)
            along = int(xp.max(place)) + 1
            self._block = place if self._block is None else self._block * along + place
            self._count *= along

    def correlation(self, found: Lookup) -> tuple[float, Array]:
        """Mean squared correlation, and its derivative by ``found.value``."""
        xp = namespace_of(found.value)
        weight = found.weight
        block_weight = self._sum(weight)
        counts = block_weight > _LEAST_WEIGHT
        total = float(xp.sum(xp.where(counts, block_weight, xp.zeros_like(block_weight))))
        if total == 0:
            return 0.0, xp.zeros_like(found.value)
        part = 1.0 / xp.where(counts, block_weight, xp.ones_like(block_weight))
        one = self._centred(self._points.value, weight, part)
        other = self._centred(found.value, weight, part)
        one_variance = self._sum(weight * one * one) * part + _NOISE_VARIANCE
        other_variance = self._sum(weight * other * other) * part + _NOISE_VARIANCE
        slope = self._sum(weight * one * other) * part / other_variance
        squared = slope * slope * other_variance / one_variance
        share = xp.where(counts, block_weight, xp.zeros_like(block_weight)) * (1.0 / total)
        by_one = 2.0 * slope / one_variance * xp.where(counts, xp.full_like(slope, 1.0 / total), xp.zeros_like(slope))
        by_value = self._spread(by_one, weight) * (one - self._spread(slope, weight) * other) * weight
        return float(xp.sum(share * squared)), by_value

    def _sum(self, values: Array) -> Array:
        return histogram(self._block, values, self._count)

    def _spread(self, of_block: Array, like_points: Array) -> Array:
        xp = namespace_of(like_points)
        return xp.take(xp.astype(of_block, like_points.dtype), self._block)

    def _centred(self, values: Array, weight: Array, part: Array) -> Array:
        """Values less the mean of their block."""
        return values - self._spread(self._sum(weight * values) * part, weight)
