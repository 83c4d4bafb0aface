"""One click on FLAIR: the lesion about it, and a field that makes it smaller or larger afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_msqsm.errors import ParameterError, ShapeMismatchError
from napari_msqsm.lesions.tools.first_region import first_region
from napari_msqsm.lesions.tools.local_contrast import LocalContrast
from napari_msqsm.lesions.tools.opening import Voxel, body_of, bounding_box, connected
from napari_msqsm.lesions.tools.random_walker import walk
from napari_msqsm.lesions.tools.window import Window, flat_index, is_inside, nearest_voxel, same_shape, window_about

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

REACH_MM = 20.0
"""A lesion is looked for within this distance of the click along every axis."""
DEFAULT_SIZE = 0.5
CLEAR_CONTRAST = 3.0
_PASSES = 4
_GROWTH, _LEAST_GROWTH_MM = 0.4, 2.0
"""The outline goes beyond the first region by no more than this part of its radius, or 2 mm."""
_LARGER, _LEAST_LARGER_MM = 0.75, 3.0
"""By how much the largest size is larger, as a part of the radius."""
_SURROUNDINGS_MM = 7.5
_FROM_WALKER = 0.6
"""Weight of the random walker against that of the distance to the outline in the order of the voxels."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """The lesion about a click, in every size.

    Parameters
    ----------
    field
        (x, y, z) how much each voxel of a box belongs to the lesion, 0 … 1; 0 where it may not.
    window
        Where the box lies in the image.
    shape
        Of the image.
    click, anchor
        Voxel that was clicked, and the nearest one in the bright part of the lesion, both in the box.
    lesion, around
        Intensity of the lesion and of its surroundings.
    noise
        Standard deviation of the noise.
    is_cut
        Whether the lesion may go on beyond `REACH_MM`.
    """

    field: NDArray[np.float64]
    window: Window
    shape: tuple[int, int, int]
    click: Voxel
    anchor: Voxel
    lesion: float
    around: float
    noise: float
    is_cut: bool

    @property
    def is_clear(self) -> bool:
        """Whether the lesion is brighter than its surroundings by more than three standard deviations of the noise."""
        return self.lesion - self.around > CLEAR_CONTRAST * self.noise

    def voxels(self, size: float = DEFAULT_SIZE) -> NDArray[np.int64]:
        """Voxels of the lesion at a size.

        Parameters
        ----------
        size
            0: hardly more than the click; `DEFAULT_SIZE`: what the image says; 1: the largest. A larger size has all
            voxels of a smaller one.

        Returns
        -------
        NDArray
            (n,) flat index, C order, sorted; joined by faces, but for the click.

        Raises
        ------
        ParameterError
            When the size is not between 0 and 1.
        """
        if not 0.0 <= size <= 1.0:
            raise ParameterError(f"a size of {size:g} is not between 0 and 1")
        whole = connected(self.field > 1.0 - size, self.anchor)
        whole[self.click] = True
        return flat_index(whole, self.window, self.shape)


def propose(
    flair: NDArray[Any],
    labels: NDArray[Any],
    voxel_size_mm: Sequence[float],
    click: Sequence[float],
    *,
    label: int = 0,
    brain: NDArray[np.bool_] | None = None,
) -> Proposal:
    """Propose the lesion about a click anywhere inside it.

    Parameters
    ----------
    flair
        (X, Y, Z) an image on which lesions are brighter than white matter.
    labels
        (X, Y, Z) lesions that are drawn already. Their voxels are left to them, and say nothing about this one.
    voxel_size_mm
        Along the axes.
    click
        In voxel coordinates.
    label
        Of the lesion, where some of it is drawn already.
    brain
        (X, Y, Z) outside of it there is no lesion; everywhere when not given.

    Returns
    -------
    Proposal
        Its `Proposal.voxels` are made again for another size in some milliseconds.

    Raises
    ------
    ParameterError
        When the click is beyond the image or the brain, on another lesion or on a value that is not finite.
    ShapeMismatchError
        When the arrays do not lie on one grid.

    Notes
    -----
    The first region (`first_region`) is improved up to four times. The levels of the lesion and of its surroundings are
    averaged near every voxel, over what is inside and outside so far: shading of the coil, fluid at the wall of the
    ventricle and cortex change the level where they are, and nowhere else. How far a voxel is on the way from one level
    to the other is the part of it that is lesion. A random walker makes of these parts a probability that does not jump
    with the noise (`walk`); the region above one half, without what hangs on it by a thinner part, is the lesion.
    It never goes further than 0.4 of its radius, or 2 mm, beyond the first region.

    A lesion that is hardly brighter than cortex or choroid plexus cannot be told from them where it touches them.
    """
    same_shape(flair, labels)
    if brain is not None and brain.shape != flair.shape:
        raise ShapeMismatchError(f"the brain has shape {brain.shape} but FLAIR {flair.shape}; give one on its grid")
    voxel = nearest_voxel(click)
    if not is_inside(voxel, flair.shape):
        raise ParameterError(f"the click at voxel {voxel} is beyond the image of shape {flair.shape}")
    wide = window_about(flair.shape, voxel, REACH_MM, voxel_size_mm)
    values = flair[wide].astype(np.float32)
    drawn = labels[wide]
    free = np.isfinite(values) & ((drawn == 0) | ((drawn == label) & bool(label)))
    if brain is not None:
        free &= brain[wide]
    at = _within(voxel, wide)
    if not free[at]:
        raise ParameterError("the click is on another lesion or outside the brain; click inside the lesion")
    values[~free] = 0
    first = first_region(values, free, at, voxel_size_mm)
    larger_mm = max(_LEAST_LARGER_MM, _LARGER * first.radius_mm)
    margin = [int(np.ceil((larger_mm + _SURROUNDINGS_MM) / size)) for size in voxel_size_mm]
    box = bounding_box(first.inside, margin)
    image, free, inside, anchor = values[box], free[box], first.inside[box], _within(first.anchor, box)
    away_mm = ndimage.distance_transform_edt(~inside, sampling=voxel_size_mm)
    allowed = free & (away_mm <= max(_LEAST_GROWTH_MM, _GROWTH * first.radius_mm))
    probability = inside.astype(np.float32)
    for _ in range(_PASSES):
        contrast = LocalContrast.between(image, free, inside, first.noise, voxel_size_mm)
        probability = walk(image, contrast.share(image), allowed, first.noise, voxel_size_mm)
        now, _ = body_of(connected(probability > 0.5, anchor), anchor, voxel_size_mm)
        if np.array_equal(now, inside):
            break
        inside = now
    inside = ndimage.binary_fill_holes(inside) & free
    x, y, z = (slice(part.start + cut.start, part.start + cut.stop) for part, cut in zip(wide, box, strict=True))
    return Proposal(
        field=_ordered(probability, inside, free, larger_mm, voxel_size_mm),
        window=(x, y, z),
        shape=flair.shape,
        click=_within(voxel, (x, y, z)),
        anchor=anchor,
        lesion=first.lesion,
        around=first.around,
        noise=first.noise,
        is_cut=_is_cut(inside, (x, y, z), wide, flair.shape),
    )


def _within(voxel: Sequence[int], box: Window) -> Voxel:
    x, y, z = (at - part.start for at, part in zip(voxel, box, strict=True))
    return x, y, z


def _ordered(
    probability: NDArray[np.float32],
    inside: NDArray[np.bool_],
    free: NDArray[np.bool_],
    larger_mm: float,
    voxel_size_mm: Sequence[float],
) -> NDArray[np.float64]:
    """Order voxels by how much they belong to the lesion: above one half inside the outline, below outside.

    The radius of a ball of as many voxels goes evenly with the size.
    """
    depth = ndimage.distance_transform_edt(np.pad(inside, 1), sampling=voxel_size_mm)[1:-1, 1:-1, 1:-1]
    away = ndimage.distance_transform_edt(~inside, sampling=voxel_size_mm)
    sure = np.where(inside, np.clip(2 * probability - 1, 0, 1), np.clip(1 - 2 * probability, 0, 1))
    far = np.where(inside, depth / max(float(depth.max()), 1e-6), np.minimum(away / larger_mm, 1.0))
    part = 0.5 * (_FROM_WALKER * sure + (1 - _FROM_WALKER) * far)
    belongs, beyond = inside & free, free & ~inside & (away <= larger_mm)
    n_inside, n_beyond = int(np.count_nonzero(belongs)), int(np.count_nonzero(beyond))
    field = np.zeros(inside.shape, dtype=np.float64)
    radius = np.cbrt((_rank(-part[belongs]) + 0.5) / n_inside)
    field[belongs] = 1.0 - DEFAULT_SIZE * radius
    radius = np.cbrt(n_inside + _rank(part[beyond]) + 0.5)
    smallest, largest = np.cbrt(n_inside), np.cbrt(n_inside + n_beyond + 1)
    field[beyond] = (1.0 - DEFAULT_SIZE) * (largest - radius) / (largest - smallest)
    return field


def _rank(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Place of every value in their order, from 0; of equals, the first one first."""
    place = np.empty(values.size)
    place[np.argsort(values, kind="stable")] = np.arange(values.size)
    return place


def _is_cut(inside: NDArray[np.bool_], window: Window, wide: Window, shape: Sequence[int]) -> bool:
    """Whether a lesion touches a side of the box that was looked at which is not a side of the image."""
    for axis, (part, limit, n) in enumerate(zip(window, wide, shape, strict=True)):
        low, high = inside.take(0, axis=axis).any(), inside.take(-1, axis=axis).any()
        if (low and part.start == limit.start and limit.start > 0) or (high and part.stop == limit.stop < n):
            return True
    return False
