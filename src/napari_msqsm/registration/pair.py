"""Points of both of two images, each looked up in the other.

Neither image has a special part, so that the answers fixed → moving and moving → fixed are inverse to each other. Where
one image has thick slices and the other is thin across them, only points of the thick one count: it alone tells over
what the thin one must be averaged, whichever of the two is the fixed image.

Masks and weights of both images act on the points of both: through a map that is nearly right, so that the choice of
points does not change while the map is improved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_msqsm.registration.host.frames import inverse, padded
from napari_msqsm.registration.lookup import SampledImage
from napari_msqsm.registration.sampling import sample_points, thick_axis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm._backend import Array
    from napari_msqsm.registration.levels import Level
    from napari_msqsm.registration.lookup import Lookup
    from napari_msqsm.registration.pyramid import LevelImage

_THIN = 0.6
"""An image is thin across another's slices when its own step there is smaller than this part of theirs."""
_MOST_OFFSETS = 5


@dataclass(frozen=True, eq=False)
class Side:
    """Points of one image; ``onward`` when they are those of the fixed one."""

    image: SampledImage
    onward: bool


class Pair:
    """Two images at one level.

    Parameters
    ----------
    fixed, moving
        The images.
    n_points
        Points in all.
    edge_share
        Part of the points that follows the gradient.
    near
        (4, 4) a map that is nearly right: says which directions of the two images lie along each other, and where one
        image's weights are in the other.
    weighted
        Whether the weights count.
    seed
        Of the sample points.
    """

    def __init__(
        self,
        fixed: Level,
        moving: Level,
        *,
        n_points: int,
        edge_share: float,
        near: NDArray[Any],
        weighted: bool,
        seed: int,
    ) -> None:
        back = inverse(near)
        forward, backward = _offsets(fixed.image, moving.image, near), _offsets(moving.image, fixed.image, back)
        use_fixed, use_moving = len(backward) == 1, len(forward) == 1
        if not (use_fixed or use_moving):
            use_fixed = use_moving = True
        n_each = n_points // 2 if use_fixed and use_moving else n_points
        sides = []
        for used, one, other, offsets, there in (
            (use_fixed, fixed, moving, forward, near),
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
                weights=[(weight, None) for weight in one.weights] + [(weight, there) for weight in other.weights]
                if weighted
                else [],
                seed=seed,
            )
            sides.append(Side(SampledImage(points, other.image, offsets=offsets), one is fixed))
        self.sides = tuple(sides)

    @property
    def n_points(self) -> int:
        """Points in all."""
        return sum(int(side.image.points.value.shape[0]) for side in self.sides)

    def centre_mm(self, matrix: NDArray[Any]) -> tuple[float, float, float]:
        """Mean of the points' centres, in the fixed scanner space, under a map."""
        back = inverse(matrix)
        centres = []
        for side in self.sides:
            centre = side.image.points.centre_mm
            centres.append(centre if side.onward else tuple(float(c) for c in back[:3, :3] @ centre + back[:3, 3]))
        x, y, z = (sum(axis) / len(centres) for axis in zip(*centres, strict=True))
        return x, y, z

    def looked_up(self, matrix: NDArray[Any]) -> list[Lookup]:
        """Look the points of every side up under a (4, 4) map fixed → moving."""
        back = inverse(matrix)
        return [side.image.looked_up(matrix if side.onward else back) for side in self.sides]

    def by_matrix(self, matrix: NDArray[Any], lookups: list[Lookup], by_values: list[Array]) -> NDArray[Any]:
        """Turn the derivatives by the looked-up values into that by the (3, 4) map fixed → moving."""
        back = inverse(matrix)
        gradient = 0.0 * back[:3]
        for side, found, by_value in zip(self.sides, lookups, by_values, strict=True):
            part = side.image.by_matrix(found, by_value)
            gradient = gradient + (
                part if side.onward else -(back.T @ padded(part) @ back.T)[:3]
            )  # d(M⁻¹) = −M⁻¹ dM M⁻¹
        return gradient


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
