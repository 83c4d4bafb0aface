"""An image at a coarser voxel edge: smoothed and decimated, one axis after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from napari_msqsm._backend import namespace_of
from napari_msqsm.registration.host.frames import inverse, rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm._backend import Array
    from napari_msqsm.registration.host.frames import Rows

_REACH = 2.5
"""Half-width of the smoothing kernel in standard deviations."""
_SMOOTHING_PER_FACTOR = 0.5
_SMOOTHING_PER_LEVEL = 0.35


@dataclass(frozen=True, eq=False)
class LevelImage:
    """An image of one level.

    Parameters
    ----------
    array
        (X, Y, Z) float32.
    affine
        (4, 4) voxel index → scanner position, mm RAS+; on the host.
    """

    array: Array
    affine: NDArray[Any]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along the axes."""
        x, y, z = (int(n) for n in self.array.shape)
        return x, y, z

    @property
    def voxel_size_mm(self) -> tuple[float, float, float]:
        """Voxel edges."""
        x, y, z = (math.sqrt(sum(float(self.affine[row, axis]) ** 2 for row in range(3))) for axis in range(3))
        return x, y, z

    @cached_property
    def flat(self) -> Array:
        """(X·Y·Z,) voxels, the last axis running fastest."""
        return namespace_of(self.array).reshape(self.array, (-1,))

    @cached_property
    def to_mm(self) -> Rows:
        """Voxel index → scanner position, mm."""
        return rows(self.affine)

    @cached_property
    def to_voxel(self) -> Rows:
        """Scanner position, mm → voxel index."""
        return rows(inverse(self.affine))


def at_level(image: LevelImage, level_mm: float) -> LevelImage:
    """Smooth an image and keep every n-th voxel, so that its voxels are about ``level_mm`` long.

    An axis that is coarser already is left alone; one that is a little finer is smoothed and keeps its voxels.

    Parameters
    ----------
    image
        The image, of any finer or coarser voxels.
    level_mm
        Wanted voxel edge.

    Returns
    -------
    LevelImage
        Its voxels lie at positions of the image's own voxels; the affine says where.
    """
    array, affine = image.array, image.affine.copy()
    edges = image.voxel_size_mm
    for axis in sorted(range(3), key=lambda a: edges[a]):  # the axis that shrinks most comes first
        length = int(array.shape[axis])
        factor = min(max(1, round(level_mm / edges[axis])), max(1, (length + 1) // 2))  # two voxels must be left
        width = _SMOOTHING_PER_FACTOR * factor if factor > 1 else 0.0
        if edges[axis] < level_mm:
            width = max(width, _SMOOTHING_PER_LEVEL * level_mm / edges[axis])
        first = ((length - 1) % factor) // 2
        array = smoothed(array, axis, width, every=factor, first=first)
        affine[:3, 3] = affine[:3, 3] + affine[:3, axis] * first
        affine[:3, axis] = affine[:3, axis] * factor
    return LevelImage(array, affine)


def smoothed(array: Array, axis: int, sd_voxels: float, *, every: int = 1, first: int = 0) -> Array:
    r"""Gaussian smoothing along one axis, at every ``every``-th voxel from ``first``.

    .. math:: y_j = \sum_k w_k x_{first + j\,every + k}, \quad w_k \propto \exp(-k^2 / 2 s^2), \quad |k| \le 2.5 s

    Beyond its ends the image goes on with its last value.
    """
    xp = namespace_of(array)
    length = int(array.shape[axis])
    count = (length - 1 - first) // every + 1
    radius = math.ceil(_REACH * sd_voxels) if sd_voxels > 0 else 0
    if radius == 0 and every == 1 and first == 0:
        return array
    weights = [math.exp(-0.5 * (k / sd_voxels) ** 2) if radius else 1.0 for k in range(-radius, radius + 1)]
    total = sum(weights)
    out = None
    for offset, weight in zip(range(-radius, radius + 1), weights, strict=True):
        part = shifted(array, axis, first + offset, every, count)
        if out is None:
            out = part * (weight / total)
        else:
            out += part * (weight / total)
    return xp.astype(out, array.dtype, copy=False)


def shifted(array: Array, axis: int, start: int, step: int, count: int) -> Array:
    """Voxels start, start + step, …, clamped to the image's ends."""
    xp = namespace_of(array)
    length = int(array.shape[axis])
    inside = [j for j in range(count) if 0 <= start + j * step < length]
    if not inside:
        edge = 0 if start < 0 else length - 1
        return xp.repeat(_cut(array, axis, edge, 1, 1), count, axis=axis)
    low, high = inside[0], count - 1 - inside[-1]
    parts = [_cut(array, axis, start + low * step, step, len(inside))]
    if low:
        parts.insert(0, xp.repeat(_cut(array, axis, 0, 1, 1), low, axis=axis))
    if high:
        parts.append(xp.repeat(_cut(array, axis, length - 1, 1, 1), high, axis=axis))
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=axis)


def _cut(array: Array, axis: int, start: int, step: int, count: int) -> Array:
    where = [slice(None)] * 3
    where[axis] = slice(start, start + (count - 1) * step + 1, step)
    return array[tuple(where)]
