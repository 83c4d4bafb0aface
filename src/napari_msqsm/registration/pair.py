"""How alike two images are at one level, judged from points of both.

Points of the fixed image are looked up in the moving one, points of the moving image in the fixed one, and all go into
one joint histogram. Neither image has a special part, so that the answers fixed → moving and moving → fixed are inverse
to each other. Where one image has thick slices and the other is thin across them, only points of the thick one count:
it alone tells over what the thin one must be averaged, whichever of the two is the fixed image.

Masks and weights of both images act on the points of both: through a map that is nearly right, so that the choice of
points does not change while the map is improved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_msqsm._backend import namespace_of
from napari_msqsm.registration.host.frames import inverse, padded
from napari_msqsm.registration.metric import SampledImage, normalised_mutual_information
from napari_msqsm.registration.sampling import sample_points, thick_axis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm._backend import Array
    from napari_msqsm.registration.levels import Level
    from napari_msqsm.registration.metric import Lookup
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
        (4, 4) a map that is nearly right: says which directions of the two images lie along each other, and where one
        image's weights are in the other.
    weighted
        Whether the weights count.
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
        weighted: bool,
        seed: int,
        least_overlap: float,
    ) -> None:
        self._least_overlap = least_overlap
        onward, back = near, inverse(near)
        forward, backward = _offsets(fixed.image, moving.image, onward), _offsets(moving.image, fixed.image, back)
        use_fixed, use_moving = len(backward) == 1, len(forward) == 1
        if not (use_fixed or use_moving):
            use_fixed = use_moving = True
        n_each = n_points // 2 if use_fixed and use_moving else n_points
        self.sides: list[tuple[SampledImage, bool]] = []
        for used, one, other, offsets, there in (
            (use_fixed, fixed, moving, forward, onward),
            (use_moving, moving, fixed, backward, back),
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
                weight=one.weight if weighted else None,
                other_weight=other.weight if weighted else None,
                to_other=there,
                seed=seed,
            )
            side = SampledImage(points, other.image, n_bins=n_bins, offsets=offsets)
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
        joint, _ = self._joint(matrix)
        return 0.0 if joint is None else normalised_mutual_information(joint)[0]

    def value_and_gradient(self, matrix: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        """Value and its (3, 4) derivative by the map."""
        back = inverse(matrix)
        joint, lookups = self._joint(matrix)
        gradient = 0.0 * back[:3]
        if joint is None:
            return 0.0, gradient
        value, by_joint = normalised_mutual_information(joint)
        for (side, onward), found in zip(self.sides, lookups, strict=True):
            if onward:
                gradient = gradient + side.by_matrix(found, by_joint)
            else:  # d(M⁻¹) = −M⁻¹ dM M⁻¹
                by_back = side.by_matrix(found, namespace_of(by_joint).permute_dims(by_joint, (1, 0)))
                gradient = gradient - (back.T @ padded(by_back) @ back.T)[:3]
        return value, gradient

    def _joint(self, matrix: NDArray[Any]) -> tuple[Array | None, list[Lookup]]:
        """Joint histogram fixed × moving; None where too little lies inside."""
        back = inverse(matrix)
        joint: Array = None
        lookups, overlap = [], 0.0
        for side, onward in self.sides:
            found = side.looked_up(matrix if onward else back)
            xp = namespace_of(found.joint)
            part = found.joint if onward else xp.permute_dims(found.joint, (1, 0))
            overlap = max(overlap, float(xp.sum(part)) / max(side.total, 1e-30))
            joint = part if joint is None else joint + part
            lookups.append(found)
        return (None if overlap < self._least_overlap else joint), lookups


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
