"""How alike two images are at one level, judged from points of both.

The mean of two similarities: points of the fixed image looked up in the moving one, and points of the moving image
looked up in the fixed one. Neither image has a special part, so that the answers fixed → moving and moving → fixed are
inverse to each other. Where one image has thick slices and the other is thin across them, only points of the thick
one count: it alone tells over what the thin one must be averaged, whichever of the two is the fixed image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_msqsm.registration.host.frames import inverse, padded
from napari_msqsm.registration.metric import SampledSimilarity
from napari_msqsm.registration.sampling import sample_points, thick_axis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.registration.levels import Level
    from napari_msqsm.registration.pyramid import LevelImage

_THIN = 0.6
"""An image is thin across another's slices when its own step there is smaller than this part of theirs."""
_MOST_OFFSETS = 5


class PairSimilarity:
    """Similarity of two images as a function of the map fixed → moving.

    Parameters
    ----------
    fixed, moving
        The images at one level.
    n_points, n_bins
        Points in all, and grey levels.
    edge_share
        Part of the points that follows the gradient.
    near
        (4, 4) a map that is nearly right: says which directions of the two images lie along each other.
    seed
        Of the sample points.
    least_overlap
        Below this part of the points inside the other image a map cannot be judged.
    """

    def __init__(
        self,
        fixed: Level,
        moving: Level,
        *,
        n_points: int,
        n_bins: int,
        edge_share: float,
        near: NDArray[Any],
        seed: int,
        least_overlap: float,
    ) -> None:
        self._least_overlap = least_overlap
        forward = _offsets(fixed.image, moving.image, near)
        backward = _offsets(moving.image, fixed.image, inverse(near))
        use_fixed, use_moving = len(backward) == 1, len(forward) == 1
        if not (use_fixed or use_moving):
            use_fixed = use_moving = True
        n_each = n_points // 2 if use_fixed and use_moving else n_points
        self.sides: list[tuple[SampledSimilarity, bool]] = []
        for used, one, other, offsets in (
            (use_fixed, fixed, moving, forward),
            (use_moving, moving, fixed, backward),
        ):
            if not used:
                continue
            points = sample_points(
                one.image,
                n_points=n_each,
                head=one.head,
                head_level=one.head_level,
                edges=one.edges,
                edge_share=edge_share,
                weight=one.weight,
                seed=seed,
            )
            side = SampledSimilarity(points, other.image, other_weight=other.weight, n_bins=n_bins, offsets=offsets)
            self.sides.append((side, one is fixed))

    @property
    def n_points(self) -> int:
        """Points in all."""
        return sum(int(side.points.value.shape[0]) for side, _ in self.sides)

    def centre_mm(self, matrix: NDArray[Any]) -> tuple[float, float, float]:
        """Mean of the points' centres, in the fixed scanner space, under a map."""
        back = inverse(matrix)
        centres = []
        for side, onward in self.sides:
            centre = side.points.centre_mm
            centres.append(centre if onward else tuple(float(c) for c in back[:3, :3] @ centre + back[:3, 3]))
        x, y, z = (sum(axis) / len(centres) for axis in zip(*centres, strict=True))
        return x, y, z

    def value(self, matrix: NDArray[Any]) -> float:
        """Normalised mutual information, 1…2; 0 where too little lies inside."""
        found = [side.at(matrix if onward else inverse(matrix), gradient=False) for side, onward in self.sides]
        if max(part.overlap for part in found) < self._least_overlap:
            return 0.0
        return sum(part.value for part in found) / len(found)

    def value_and_gradient(self, matrix: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        """Value and its (3, 4) derivative by the map."""
        back = inverse(matrix)
        total, gradient, overlap = 0.0, 0.0 * matrix[:3], 0.0
        for side, onward in self.sides:
            found = side.at(matrix if onward else back)
            overlap = max(overlap, found.overlap)
            if found.gradient is None:
                continue
            total += found.value
            gradient = gradient + (found.gradient if onward else -(back.T @ padded(found.gradient) @ back.T)[:3])
        if overlap < self._least_overlap:
            return 0.0, 0.0 * matrix[:3]
        return total / len(self.sides), gradient / len(self.sides)


def _offsets(one: LevelImage, other: LevelImage, near: NDArray[Any]) -> tuple[float, ...]:
    """Where across a thick slice of one image the other is looked up, as parts of the slice; (0,) when not thinner."""
    axis = thick_axis(one)
    if axis is None:
        return (0.0,)
    step = near[:3, :3] @ one.affine[:3, axis]
    in_voxels = inverse(other.affine)[:3, :3] @ step
    crossed = sum(float(n) ** 2 for n in in_voxels) ** 0.5
    if crossed * _THIN <= 1.0:
        return (0.0,)
    count = min(max(2, round(crossed)), _MOST_OFFSETS)
    return tuple((k + 0.5) / count - 0.5 for k in range(count))
