r"""Where two images are compared: points spread over the head, denser where the image changes.

The points are an additive low-discrepancy sequence, :math:`u_i = \operatorname{frac}(s + i\,(1/g, 1/g^2, 1/g^3,
1/g^4))` with g the real root of :math:`g^5 = g + 1`, stretched over the image: off the voxel grid, so that no artefact
of interpolation can favour grid positions, even, and the same on every machine. Its fourth number decides whether a
point is kept: with a probability of which one part is constant and the other follows the gradient.

Where slices are thick, points lie on the slices' centres: between two slices the image was never measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from array_api_compat import device

from napari_msqsm._backend import namespace_of
from napari_msqsm.registration.host.frames import rows
from napari_msqsm.registration.interpolation import Coordinates, mapped, nearest, trilinear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_msqsm._backend import Array
    from napari_msqsm.registration.pyramid import LevelImage

_ROOT = 1.1673039782614187
_SEED_STEP = math.sqrt(2.0)
_CANDIDATES_PER_POINT = 6
_CANDIDATES_AT_ONCE = 1 << 16
_THICK_SLICE = 1.6
"""Slices thicker than this times the voxel's smallest edge are not interpolated between."""


@dataclass(frozen=True, eq=False)
class SamplePoints:
    """Points of one image.

    Parameters
    ----------
    at_mm
        (n,) each, scanner position relative to ``centre_mm``.
    centre_mm
        Their mean.
    value
        (n,) grey level of the image there.
    weight
        (n,) how much each counts.
    slice_mm
        From one slice to the next, where points lie on the slices' centres; None where they lie anywhere.
    """

    at_mm: Coordinates
    centre_mm: tuple[float, float, float]
    value: Array
    weight: Array
    slice_mm: tuple[float, float, float] | None


def thick_axis(image: LevelImage) -> int | None:
    """Axis across thick slices; None when the voxels are nearly cubes."""
    edges = image.voxel_size_mm
    longest = max(range(3), key=lambda axis: edges[axis])
    return longest if edges[longest] > _THICK_SLICE * min(edges) else None


def sample_points(
    image: LevelImage,
    *,
    n_points: int,
    head: LevelImage,
    head_level: float,
    edges: LevelImage,
    edge_share: float,
    weights: Sequence[tuple[LevelImage, NDArray[Any] | None]],
    seed: int,
) -> SamplePoints:
    """Draw about ``n_points`` points of the head.

    Parameters
    ----------
    image
        Image of this level.
    n_points
        Wanted number; fewer where the head is small.
    head, head_level
        Smoothed image, and the grey level above which a position belongs to the head.
    edges
        Image whose gradient is followed, at most as fine as this level.
    edge_share
        0…1, part of the points that follows the gradient.
    weights
        How much each position counts, as images that are multiplied, each with the (4, 4) map to its scanner space
        (None when that is the image's own); positions of weight 0 get no point.
    seed
        Another seed draws other points.
    """
    xp = namespace_of(image.array)
    slices = thick_axis(image)
    found: list[list[Array]] = []
    total = _CANDIDATES_PER_POINT * n_points
    for start in range(0, total, _CANDIDATES_AT_ONCE):
        count = min(_CANDIDATES_AT_ONCE, total - start)
        x, y, z, chance = _candidates(image, slices, start, count, seed)
        at = mapped(image.to_mm, (x, y, z))
        inside = trilinear(head.flat, head.shape, mapped(head.to_voxel, at)).value > head_level
        counted = xp.ones_like(x)
        for part, there in weights:
            place = at if there is None else mapped(rows(there), at)
            counted = counted * nearest(part.flat, part.shape, mapped(part.to_voxel, place))
        inside = xp.logical_and(inside, counted > 0)
        found.append([u[inside] for u in (x, y, z, chance, counted, _slope(edges, at))])
    x, y, z, chance, counted, slope = (xp.concat([part[column] for part in found]) for column in range(6))
    total_slope = float(xp.sum(slope))
    even = n_points / max(int(x.shape[0]), 1)
    if total_slope > 0:
        even = even * (1.0 - edge_share) + slope * (n_points * edge_share / total_slope)
    kept = chance < even
    x, y, z, counted = x[kept], y[kept], z[kept], counted[kept]
    order = xp.argsort((xp.floor(x) * image.shape[1] + xp.floor(y)) * image.shape[2] + z)  # neighbours in memory
    x, y, z, counted = (xp.take(u, order) for u in (x, y, z, counted))
    value = trilinear(image.flat, image.shape, (x, y, z)).value
    return _about_centre(mapped(image.to_mm, (x, y, z)), value, counted, image, slices)


def _about_centre(at: Coordinates, value: Array, weight: Array, image: LevelImage, slices: int | None) -> SamplePoints:
    xp = namespace_of(value)
    n = max(int(value.shape[0]), 1)
    cx, cy, cz = (float(xp.sum(u, dtype=xp.float64)) / n for u in at)
    step = None
    if slices is not None:
        a, b, c = (float(image.affine[row, slices]) for row in range(3))
        step = (a, b, c)
    return SamplePoints((at[0] - cx, at[1] - cy, at[2] - cz), (cx, cy, cz), value, weight, step)


def _candidates(image: LevelImage, slices: int | None, start: int, count: int, seed: int) -> list[Array]:
    """Voxel coordinates x, y, z of members of the sequence, and a number 0…1 that decides whether each is kept."""
    xp = namespace_of(image.array)
    index = xp.arange(start, start + count, dtype=xp.float64, device=device(image.array))
    out = []
    for power in range(1, 5):
        u = index * _ROOT**-power + (0.5 + seed * _SEED_STEP**power)
        u = u - xp.floor(u)
        if power - 1 == slices:
            u = xp.clip(xp.floor(u * image.shape[power - 1]), 0.0, image.shape[power - 1] - 1.0)
        elif power < 4:
            u = u * (image.shape[power - 1] - 1)
        out.append(xp.astype(u, xp.float32))
    return out


def _slope(image: LevelImage, at: Coordinates) -> Array:
    """Length of an image's gradient per mm."""
    xp = namespace_of(image.array)
    gradient = trilinear(image.flat, image.shape, mapped(image.to_voxel, at)).gradient
    return xp.sqrt(sum((g * (1.0 / e)) ** 2 for g, e in zip(gradient, image.voxel_size_mm, strict=True)))
