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

(but for points that leave an image). Where points lie on thick slices, the other image is averaged over the slice's
profile.

Source: Studholme C et al., Pattern Recognition 1999;32:71 (doi 10.1016/S0031-3203(98)00091-0); gradient: Thévenaz P,
Unser M, IEEE Trans Image Process 2000;9:2083 (doi 10.1109/83.887976). Differs: linear instead of cubic windows for both
images; sample points instead of all voxels; one histogram of the points of both images, so that neither is special.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_msqsm._backend import histogram, namespace_of, to_numpy
from napari_msqsm.registration.host.frames import inverse, rows, translation
from napari_msqsm.registration.interpolation import mapped, trilinear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm._backend import Array
    from napari_msqsm.registration.interpolation import Coordinates
    from napari_msqsm.registration.pyramid import LevelImage
    from napari_msqsm.registration.sampling import SamplePoints

_EMPTY = 1e-12
"""Added to every bin, so that its logarithm exists."""


@dataclass(frozen=True, eq=False)
class Lookup:
    """The other image at the sample points, under one map.

    Parameters
    ----------
    joint
        (bins, bins) sums of weights, float64: grey level of the points' image × of the other image.
    weight
        (n,) of every point, 0 where it lies outside the other image.
    bin, above
        (n,) lower bin of the other image, and the part that falls into the upper one.
    slopes, tilts
        Slopes of the other image per voxel; those weighted by the offset within the slice (None for thin slices).
    to_voxel
        (4, 4) scanner position → voxel of the other image.
    """

    joint: Array
    weight: Array
    bin: Array
    above: Array
    slopes: Coordinates
    tilts: Coordinates | None
    to_voxel: NDArray[Any]


class SampledImage:
    """Sample points of one image, to be looked up in the other under any map between them.

    Parameters
    ----------
    points
        Of the one image.
    other
        The other image at this level.
    n_bins
        Grey levels of the joint histogram.
    offsets
        Where, as parts of the distance between slices, the other image is averaged; (0,) for thin slices.
    """

    def __init__(self, points: SamplePoints, other: LevelImage, *, n_bins: int, offsets: tuple[float, ...]) -> None:
        xp = namespace_of(points.value)
        self.points, self._other = points, other
        self._n_bins, self._offsets = n_bins, offsets
        self._bin, self._above = self._in_bins(points.value)
        self.total = float(xp.sum(points.weight))

    def looked_up(self, matrix: NDArray[Any]) -> Lookup:
        """Look the points up under a (4, 4) map from their scanner space to the other image's, mm."""
        to_voxel = inverse(self._other.affine)
        value, slopes, tilts, weight = self._followed(to_voxel @ matrix @ translation(self.points.centre_mm))
        other_bin, above = self._in_bins(value)
        return Lookup(self._joint(other_bin, above, weight), weight, other_bin, above, slopes, tilts, to_voxel)

    def by_matrix(self, found: Lookup, by_joint: Array) -> NDArray[Any]:
        """Turn the derivative by the joint histogram into that by the (3, 4) map; on the host."""
        by_value = self._by_value(by_joint, found.bin) * found.weight * float(self._n_bins - 3)
        sums = self._summed(by_value, found.slopes, found.tilts)
        by_voxel_map = sums[:, :4]
        if found.tilts is not None and self.points.slice_mm is not None:
            by_voxel_map = by_voxel_map + sums[:, 4:] * [*self.points.slice_mm, 0.0]
        # d/dM = (A⁻¹)ᵀ · d/dW · T(centre)ᵀ
        by_map: NDArray[Any] = found.to_voxel[:3, :3].T @ by_voxel_map @ translation(self.points.centre_mm).T
        return by_map

    def _followed(self, whole: NDArray[Any]) -> tuple[Array, Coordinates, Coordinates | None, Array]:
        """Other image at the points, its slopes per voxel, those weighted by the offset, and the points' weights."""
        points = self.points
        steps = whole[:3, :3] @ (points.slice_mm or (0.0, 0.0, 0.0))
        at = mapped(rows(whole), points.at_mm)
        value: Array = None
        slopes: list[Array] = []
        tilts: list[Array] = []
        weight = points.weight
        for offset in self._offsets:
            here = at if offset == 0 else tuple(u + float(s) * offset for u, s in zip(at, steps, strict=True))
            found = trilinear(self._other.flat, self._other.shape, (here[0], here[1], here[2]))
            weight = weight * found.inside
            if value is None:
                value, slopes, tilts = found.value, list(found.gradient), [g * offset for g in found.gradient]
            else:
                value = value + found.value
                slopes = [total + g for total, g in zip(slopes, found.gradient, strict=True)]
                tilts = [total + g * offset for total, g in zip(tilts, found.gradient, strict=True)]
        part = 1.0 / len(self._offsets)
        if len(self._offsets) == 1:
            return value, (slopes[0], slopes[1], slopes[2]), None, weight
        x, y, z = (g * part for g in slopes)
        a, b, c = (g * part for g in tilts)
        return value * part, (x, y, z), (a, b, c), weight

    def _in_bins(self, value: Array) -> tuple[Array, Array]:
        """Lower of the two bins of a grey level, and the part that falls into the upper one."""
        xp = namespace_of(value)
        level = value * float(self._n_bins - 3) + 1.0
        lower = xp.floor(level)
        return xp.astype(lower, xp.int64), level - lower

    def _joint(self, other_bin: Array, above: Array, weight: Array) -> Array:
        """(bins, bins) joint histogram, float64."""
        xp = namespace_of(weight)
        n = self._n_bins
        first = self._bin * n + other_bin
        upper = self._above * weight
        lower = weight - upper
        parts = (
            (first, lower - lower * above),
            (first + 1, lower * above),
            (first + n, upper - upper * above),
            (first + (n + 1), upper * above),
        )
        total = None
        for index, share in parts:
            counts = histogram(index, share, n * n)
            total = counts if total is None else total + counts
        return xp.reshape(total, (n, n))

    def _by_value(self, by_joint: Array, other_bin: Array) -> Array:
        """How the similarity changes with the other image's grey level at every point, per bin."""
        xp = namespace_of(by_joint)
        n = self._n_bins
        steps = xp.astype(xp.reshape(by_joint[:, 1:] - by_joint[:, :-1], (-1,)), self._above.dtype)
        index = self._bin * (n - 1) + other_bin
        near, far = xp.take(steps, index), xp.take(steps, index + (n - 1))
        return near + self._above * (far - near)

    def _summed(self, by_value: Array, slopes: Coordinates, tilts: Coordinates | None) -> NDArray[Any]:
        """(3, 4 or 5) sums over the points, per voxel axis: of the pull times x, y, z and 1, and of the tilt."""
        xp = namespace_of(by_value)
        sums = []
        for axis in range(3):
            pull = by_value * slopes[axis]
            sums += [xp.sum(pull * u) for u in self.points.at_mm]
            sums.append(xp.sum(pull))
            if tilts is not None:
                sums.append(xp.sum(by_value * tilts[axis]))
        found = to_numpy(xp.stack(sums)).astype("float64")
        return found.reshape(3, -1)


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
