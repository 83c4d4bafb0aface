"""Adaptive brush: of the voxels under the brush, those that belong to what is being painted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_msqsm.errors import ParameterError
from napari_msqsm.lesions.tools.brush import brush_voxels
from napari_msqsm.lesions.tools.noise import noise_sd, robust_sd
from napari_msqsm.lesions.tools.window import (
    Window,
    flat_index,
    in_window,
    nearest_voxel,
    same_shape,
    window_about,
    window_between,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_UNDER_CURSOR = 0.3
"""Part of the brush's radius within which a voxel is under the cursor."""
_SHELL_MM = 2.5
_SHELL = 0.5
"""The shell is as thick as half the brush's radius, and no thinner than `_SHELL_MM`."""
_ENOUGH_PAINTED = 8
_OTHER_SD = 2.0
"""A voxel of the shell that is further from the lesion's intensity than this many standard deviations is not lesion."""
_ALIKE_SD = 3.0
_LEAST_VOXELS = 4
_LEAST_PART = 0.05
_CLASS_PART = 0.2
_APART_SD = 3.0


@dataclass(frozen=True)
class LocalModel:
    """Intensity of a lesion and of what surrounds it, near the brush.

    Parameters
    ----------
    inside
        Median intensity of the lesion.
    low, high
        A voxel between them belongs to the lesion; infinite where nothing about it is darker or brighter.
    noise
        Standard deviation of the noise there.
    """

    inside: float
    low: float
    high: float
    noise: float

    def belongs(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether each value lies between `low` and `high`; a value that is not finite does not."""
        return np.asarray(np.isfinite(values) & (values >= self.low) & (values <= self.high))


def within_range(image: NDArray[Any], index: NDArray[np.int64], *, low: float, high: float) -> NDArray[np.int64]:
    """Those of some voxels whose intensity lies between two thresholds, both included.

    Parameters
    ----------
    image
        (X, Y, Z).
    index
        (n,) flat index of the voxels under the brush.
    low, high
        Thresholds; infinite for none.

    Returns
    -------
    NDArray
        Flat index, in the order of ``index``.

    Raises
    ------
    ParameterError
        When ``low`` is above ``high``.
    """
    if not low <= high:
        raise ParameterError(f"the lower threshold {low:g} is above the upper one {high:g}; exchange them")
    values = image[np.unravel_index(index, image.shape)]
    return np.asarray(index[np.isfinite(values) & (values >= low) & (values <= high)])


def local_model(
    image: NDArray[Any],
    labels: NDArray[Any],
    label: int,
    voxel_size_mm: Sequence[float],
    cursor: Sequence[float],
    *,
    radius_mm: float,
    axis: int | None = None,
) -> LocalModel | None:
    """Tell a lesion from its surroundings by their intensity near the brush.

    The lesion's intensity is the median over what is already painted of it near the brush; before eight of its voxels
    are painted there, over the voxels under the cursor. Its surroundings are the voxels in a shell about the brush that
    have no label and differ from it by more than two standard deviations. Those of them that are darker make one limit
    and the brighter ones the other: half-way between their median and the lesion's, where a voxel is half lesion. Where
    the darker (or brighter) ones are of two kinds, such as white matter and fluid, the kind next to the lesion counts.
    Without any, there is no limit on that side; without any on both sides, a voxel belongs within three deviations.

    Parameters
    ----------
    image
        (X, Y, Z); the lesion may be brighter or darker than what is about it, or lie between.
    labels, label
        (X, Y, Z) what is drawn, and the number of the lesion that is being painted.
    voxel_size_mm
        Along the axes.
    cursor
        Position of the brush in voxel coordinates.
    radius_mm
        Of the brush.
    axis
        Axis perpendicular to the slice that is painted; the model is that of the slice. None: of space.

    Returns
    -------
    LocalModel
        None where there is no finite intensity to learn from.

    Raises
    ------
    ShapeMismatchError
        When image and labels do not lie on one grid.
    """
    same_shape(image, labels)
    at = _in_slice(cursor, axis)
    outer_mm = radius_mm + max(_SHELL_MM, _SHELL * radius_mm)
    window = _window(image.shape, at, outer_mm, voxel_size_mm, axis)
    values = image[window].astype(np.float32)
    drawn = labels[window]
    if values.size == 0:
        return None
    distance = _distance_mm(window, at, voxel_size_mm)
    finite = np.isfinite(values)
    smallest = min(size for other, size in enumerate(voxel_size_mm) if other != axis)
    own = values[(drawn == label) & finite] if label else values[:0].ravel()
    if own.size < _ENOUGH_PAINTED:
        free = finite & ((drawn == 0) | (drawn == label))
        own = values[free & (distance <= max(_UNDER_CURSOR * radius_mm, 1.01 * smallest))]
    if own.size == 0:
        return None
    inside = float(np.median(own))
    noise = noise_sd(np.where(finite, values, np.float32(inside)), axis)
    around = values[finite & (drawn == 0) & (distance > radius_mm)]
    deviation = max(noise, _spread_of_alike(around, inside, noise), float(np.spacing(np.float32(abs(inside)))))
    low = _limit(around[around < inside - _OTHER_SD * deviation], inside, around.size, deviation)
    high = _limit(around[around > inside + _OTHER_SD * deviation], inside, around.size, deviation)
    if low is None and high is None:
        return LocalModel(inside, inside - _ALIKE_SD * deviation, inside + _ALIKE_SD * deviation, noise)
    return LocalModel(inside, -np.inf if low is None else low, np.inf if high is None else high, noise)


def adaptive_voxels(
    image: NDArray[Any],
    labels: NDArray[Any],
    label: int,
    voxel_size_mm: Sequence[float],
    start: Sequence[float],
    end: Sequence[float] | None = None,
    *,
    radius_mm: float,
    axis: int | None = None,
) -> NDArray[np.int64]:
    """Voxels under the brush that belong to the lesion, by `local_model`, and are connected to it.

    Parameters
    ----------
    image, labels, label, voxel_size_mm, radius_mm, axis
        As in `local_model`; the model is made where the way starts.
    start, end
        Way of the brush in voxel coordinates, as in `brush_voxels`.

    Returns
    -------
    NDArray
        (n,) flat index, C order, sorted: voxels without a label, under the brush, within the limits, and joined by
        faces of such voxels to the cursor or to what is painted of the lesion. A single voxel that noise threw out of
        the limits, all but one of its neighbours inside, is taken in.
    """
    model = local_model(image, labels, label, voxel_size_mm, start, radius_mm=radius_mm, axis=axis)
    under = brush_voxels(image.shape, voxel_size_mm, start, end, radius_mm=radius_mm, axis=axis)
    if model is None or under.size == 0:
        return np.empty(0, dtype=np.int64)
    at = np.unravel_index(under, image.shape)
    window = window_between(image.shape, [a.min() - 1 for a in at], [a.max() + 1 for a in at])
    drawn = labels[window]
    brush = in_window(under, window, image.shape)
    belongs = model.belongs(image[window])
    faces = ndimage.generate_binary_structure(3, 1)
    if axis is not None:
        faces &= np.indices(faces.shape)[axis] == 1
    neighbours = ndimage.convolve(belongs.astype(np.uint8), faces.astype(np.uint8), mode="constant") - belongs
    belongs |= (neighbours >= int(faces.sum()) - 2) & np.isfinite(image[window])
    own = (drawn == label) & bool(label)
    free = brush & belongs & (drawn == 0)
    fine = 0.01 * min(voxel_size_mm)
    way = in_window(
        brush_voxels(image.shape, voxel_size_mm, start, end, radius_mm=fine, axis=axis), window, image.shape
    )
    reached = ndimage.binary_propagation((way & free) | own, mask=free | own, structure=faces)
    return flat_index(reached & free, window, image.shape)


def _in_slice(cursor: Sequence[float], axis: int | None) -> tuple[float, ...]:
    if axis is None:
        return tuple(float(along) for along in cursor)
    voxel = nearest_voxel(cursor)
    return tuple(float(voxel[other] if other == axis else along) for other, along in enumerate(cursor))


def _window(
    shape: Sequence[int], at: Sequence[float], reach_mm: float, voxel_size_mm: Sequence[float], axis: int | None
) -> Window:
    x, y, z = window_about(shape, at, reach_mm, voxel_size_mm)
    if axis is None:
        return x, y, z
    place = window_between(shape, at, at)[axis]
    x, y, z = (place if other == axis else part for other, part in enumerate((x, y, z)))
    return x, y, z


def _distance_mm(window: Window, at: Sequence[float], voxel_size_mm: Sequence[float]) -> NDArray[np.float64]:
    along = [
        ((np.arange(part.start, part.stop) - place) * size) ** 2
        for part, place, size in zip(window, at, voxel_size_mm, strict=True)
    ]
    x, y, z = np.ix_(*along)
    return np.asarray(np.sqrt(x + y + z))


def _spread_of_alike(around: NDArray[np.float32], inside: float, noise: float) -> float:
    """Estimate the standard deviation of the part of the surroundings that looks like the lesion."""
    alike = around[np.abs(around - inside) <= _ALIKE_SD * noise]
    return robust_sd(alike) if alike.size >= _LEAST_VOXELS else 0.0


def _limit(others: NDArray[np.float32], inside: float, n_around: int, deviation: float) -> float | None:
    """Half-way between the lesion and the nearest kind of tissue on one side of it; None where there is too little."""
    if others.size < max(_LEAST_VOXELS, _LEAST_PART * n_around):
        return None
    away = np.sort(np.abs(others.astype(np.float64) - inside))
    n = np.arange(1, away.size)
    sums = np.cumsum(away)
    near, far = sums[:-1] / n, (sums[-1] - sums[:-1]) / (away.size - n)
    large = (n >= _CLASS_PART * away.size) & (n <= (1 - _CLASS_PART) * away.size)
    between = np.where(large, n * (away.size - n) * (far - near) ** 2, -1.0)
    distance = float(np.median(away))
    if between.size and between.max() > 0:
        cut = int(np.argmax(between))
        kinds = away[: cut + 1], away[cut + 1 :]
        medians = [float(np.median(kind)) for kind in kinds]
        if medians[1] - medians[0] > _APART_SD * max(deviation, *(robust_sd(kind) for kind in kinds)):
            distance = medians[0]
    return inside + (0.5 if float(others[0]) > inside else -0.5) * distance
