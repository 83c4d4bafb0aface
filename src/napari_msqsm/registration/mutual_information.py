r"""Normalised mutual information of two images from sample points of both, with its analytic gradient.

.. math::

   \mathrm{NMI} = \frac{H_f + H_m}{H_{fm}}, \quad H = -\sum p \ln p, \quad
   p_{kl} \propto \sum_{i} w_i\, \beta(k - f_i)\, \beta(l - m(M x_i))
   + \sum_{j} w_j\, \beta(k - f(M^{-1} y_j))\, \beta(l - m_j)

over points x of the fixed and y of the moving image, with β the linear B-spline, so that every grey level falls into
two bins and p is continuous in M, and

.. math::

   \frac{\partial \mathrm{NMI}}{\partial p_{kl}} = \frac{1}{H_{fm}}
   \left( \mathrm{NMI}\,(\ln p_{kl} + 1) - (\ln p_k + 1) - (\ln p_l + 1) \right)

(but for points that leave an image).

Source: Studholme C et al., Pattern Recognition 1999;32:71 (doi 10.1016/S0031-3203(98)00091-0); gradient: Thévenaz P,
Unser M, IEEE Trans Image Process 2000;9:2083 (doi 10.1109/83.887976). Differs: linear instead of cubic windows for both
images; sample points instead of all voxels; one histogram of the points of both images, so that neither is special.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_msqsm._backend import histogram, namespace_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm._backend import Array
    from napari_msqsm.registration.lookup import Lookup
    from napari_msqsm.registration.pair import Pair

_EMPTY = 1e-12
"""Added to every bin, so that its logarithm exists."""


@dataclass(frozen=True, eq=False)
class _Binned:
    """Lower of the two bins of every grey level, and the part that falls into the upper one."""

    lower: Array
    above: Array


class MutualInformation:
    """Normalised mutual information of a pair as a function of the map fixed → moving.

    Parameters
    ----------
    pair
        Points of both images.
    n_bins
        Grey levels of the joint histogram.
    least_overlap
        Where a smaller part of the points of either image lies inside the other, a map cannot be judged.
    """

    name = "normalised mutual information"

    def __init__(self, pair: Pair, *, n_bins: int, least_overlap: float) -> None:
        self._pair, self._n_bins, self._least_overlap = pair, n_bins, least_overlap
        self._own = [self._binned(side.image.points.value) for side in pair.sides]

    def value(self, matrix: NDArray[Any]) -> float:
        """From 1 (nothing in common) to 2; 0 where too little lies inside."""
        lookups = self._pair.looked_up(matrix)
        joint = self._joint(lookups, [self._binned(found.value) for found in lookups])
        return 0.0 if joint is None else normalised_mutual_information(joint)[0]

    def value_and_gradient(self, matrix: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        """Value, and its (3, 4) derivative by the map."""
        lookups = self._pair.looked_up(matrix)
        other = [self._binned(found.value) for found in lookups]
        joint = self._joint(lookups, other)
        if joint is None:
            return 0.0, 0.0 * matrix[:3]
        value, by_joint = normalised_mutual_information(joint)
        swapped = namespace_of(by_joint).permute_dims(by_joint, (1, 0))
        by_values = [
            self._by_value(by_joint if side.onward else swapped, own, there) * found.weight
            for side, own, there, found in zip(self._pair.sides, self._own, other, lookups, strict=True)
        ]
        return value, self._pair.by_matrix(matrix, lookups, by_values)

    def _binned(self, value: Array) -> _Binned:
        xp = namespace_of(value)
        level = value * float(self._n_bins - 3) + 1.0
        lower = xp.floor(level)
        return _Binned(xp.astype(lower, xp.int64), level - lower)

    def _joint(self, lookups: list[Lookup], other: list[_Binned]) -> Array | None:
        """(bins, bins) joint histogram fixed × moving, float64; None where too little lies inside."""
        joint: Array = None
        overlap = 0.0
        for side, own, there, found in zip(self._pair.sides, self._own, other, lookups, strict=True):
            part = self._histogram(own, there, found.weight)
            xp = namespace_of(part)
            overlap = max(overlap, float(xp.sum(part)) / max(side.image.total_weight, 1e-30))
            part = part if side.onward else xp.permute_dims(part, (1, 0))
            joint = part if joint is None else joint + part
        return None if overlap < self._least_overlap else joint

    def _histogram(self, one: _Binned, other: _Binned, weight: Array) -> Array:
        xp = namespace_of(weight)
        n = self._n_bins
        first = one.lower * n + other.lower
        upper = one.above * weight
        lower = weight - upper
        total: Array = None
        for step, share in ((0, lower), (n, upper)):
            far = share * other.above
            for index, part in ((first + step, share - far), (first + (step + 1), far)):
                counts = histogram(index, part, n * n)
                total = counts if total is None else total + counts
        return xp.reshape(total, (n, n))

    def _by_value(self, by_joint: Array, one: _Binned, other: _Binned) -> Array:
        """Turn the derivative by the joint histogram into that by the other image's grey level, per weight."""
        xp = namespace_of(by_joint)
        n = self._n_bins
        steps = xp.astype(xp.reshape(by_joint[:, 1:] - by_joint[:, :-1], (-1,)), one.above.dtype)
        index = one.lower * (n - 1) + other.lower
        near, far = xp.take(steps, index), xp.take(steps, index + (n - 1))
        return (near + one.above * (far - near)) * float(n - 3)


def normalised_mutual_information(joint: Array) -> tuple[float, Array]:
    """Value, 1…2, and its derivative by every bin of a joint histogram of any scale."""
    xp = namespace_of(joint)
    total = float(xp.sum(joint))
    p = joint * (1.0 / total) + _EMPTY
    log_joint = xp.log(p)
    one, other = xp.sum(p, axis=1), xp.sum(p, axis=0)
    log_one, log_other = xp.log(one), xp.log(other)
    h_one, h_other = -float(xp.sum(one * log_one)), -float(xp.sum(other * log_other))
    h_joint = -float(xp.sum(p * log_joint))
    nmi = (h_one + h_other) / h_joint
    by_p = nmi * (log_joint + 1.0) - (log_one + 1.0)[:, None] - (log_other + 1.0)[None, :]
    return nmi, by_p * (1.0 / (h_joint * total))
