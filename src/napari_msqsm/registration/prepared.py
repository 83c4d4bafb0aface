"""Images made ready for comparison: checked, in single precision, grey levels between 0 and 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from array_api_compat import device

from napari_msqsm._backend import namespace_of
from napari_msqsm.errors import InputError, ShapeMismatchError
from napari_msqsm.registration.pyramid import LevelImage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_msqsm._backend import Array
    from napari_msqsm.model.grid import Grid

_LEAST_VOXELS = 4
_LEAST_EXTENT_MM = 20.0
_DARKEST, _BRIGHTEST = 0.02, 0.995
_MOST_FOR_QUANTILES = 200_000
_VOXELS_PER_SLAB = 1 << 18
HEAD_LEVEL = 0.06
"""Grey level, of a smoothed image, above which a position belongs to the head and not to air."""


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """One of the two images.

    Parameters
    ----------
    image
        Grey levels 0…1 at full resolution.
    weight
        (X, Y, Z) float32 on the same voxels, how much each counts; None when all count alike.
    """

    image: LevelImage
    weight: LevelImage | None


def prepared(array: Array, grid: Grid, *, mask: Array | None, weight: Array | None, what: str) -> PreparedImage:
    """Check an image and bring its grey levels to 0…1.

    Raises
    ------
    ShapeMismatchError
        When the array has not the shape of its grid, or a mask or weight has another one.
    InputError
        When it holds NaN or infinite values, has no contrast, or is too small; when the mask is empty.
    """
    xp = namespace_of(array)
    if array.ndim != 3:
        raise ShapeMismatchError(f"{what} has {array.ndim} axes; give one 3-D image")
    if tuple(array.shape) != grid.shape:
        raise ShapeMismatchError(f"{what} has shape {tuple(array.shape)} but its grid {grid.shape}; give its own grid")
    if min(array.shape) < _LEAST_VOXELS:
        raise InputError(
            f"{what} has shape {tuple(array.shape)}; registration needs at least {_LEAST_VOXELS} voxels along each axis"
        )
    extent = min(n * edge for n, edge in zip(grid.shape, grid.voxel_size_mm, strict=True))
    if extent < _LEAST_EXTENT_MM:
        raise InputError(f"{what} is only {extent:.0f} mm wide; registration needs {_LEAST_EXTENT_MM:.0f} mm of head")
    if xp.isdtype(array.dtype, "complex floating"):
        raise InputError(f"{what} holds complex numbers; give its magnitude")
    low, high = _checked_range(array, what)
    weights = _combined(array, mask, weight, what)
    image = LevelImage(_unit_image(array, low, high), grid.affine.copy())
    return PreparedImage(image, None if weights is None else LevelImage(weights, image.affine))


def scaled(image: LevelImage, *, what: str) -> LevelImage:
    """Bring the grey levels between the 2nd and 99.5th percentile to 0…1 and cut off the rest.

    Raises
    ------
    InputError
        When the image holds NaN or infinite values or has no contrast.
    """
    low, high = _checked_range(image.array, what)
    return LevelImage(_unit_image(image.array, low, high), image.affine)


def _unit_image(array: Array, low: float, high: float) -> Array:
    """Grey levels 0…1, float32, the last axis running fastest."""
    xp = namespace_of(array)
    out = xp.empty(array.shape, dtype=xp.float32, device=device(array))
    for part in slabs(array.shape):
        values = xp.astype(array[part], xp.float32)
        out[part] = xp.clip((values - low) * (1.0 / (high - low)), 0.0, 1.0)
    return out


def slabs(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    """Index of ranges of the first axis, few enough voxels each to stay in the processor's cache."""
    step = max(1, _VOXELS_PER_SLAB // max(1, shape[1] * shape[2]))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0])), ...


def _checked_range(array: Array, what: str) -> tuple[float, float]:
    xp = namespace_of(array)
    if xp.isdtype(array.dtype, "real floating"):
        bad = sum(int(xp.count_nonzero(~xp.isfinite(array[part]))) for part in slabs(array.shape))
        if bad:
            raise InputError(f"{what} holds {bad} NaN or infinite values; set them to 0")
    low, high = _grey_range(array)
    if not high > low:
        raise InputError(f"{what} has no contrast: nearly all of its voxels are {low:g}; give an image of a head")
    return low, high


def _grey_range(array: Array) -> tuple[float, float]:
    """2nd and 99.5th percentile of a part of the voxels; all voxels decide where that part is flat."""
    xp = namespace_of(array)
    every = max(1, round((array.size / _MOST_FOR_QUANTILES) ** (1 / 3)))
    ordered = xp.sort(xp.reshape(array[::every, ::every, ::every], (-1,)))
    last = ordered.shape[0] - 1
    low, high = float(ordered[int(_DARKEST * last)]), float(ordered[int(_BRIGHTEST * last)])
    if high > low:
        return low, high
    return float(xp.min(array)), float(xp.max(array))


def _combined(array: Array, mask: Array | None, weight: Array | None, what: str) -> Array | None:
    """Mask times weight."""
    xp = namespace_of(array)
    total = None
    for name, part in (("mask", mask), ("weight", weight)):
        if part is None:
            continue
        if tuple(part.shape) != tuple(array.shape):
            raise ShapeMismatchError(
                f"the {name} of {what} has shape {tuple(part.shape)} but the image {tuple(array.shape)}; "
                "resample it to the image's grid"
            )
        values = xp.astype(part, xp.float32)
        if name == "mask":
            values = xp.astype(values > 0.5, xp.float32)
        elif not bool(xp.all(xp.isfinite(values))) or float(xp.min(values)) < 0:
            raise InputError(f"the weight of {what} must be finite and ≥ 0 everywhere; 0 ignores a voxel")
        if not float(xp.max(values)) > 0:
            raise InputError(f"the {name} of {what} is empty; give one with at least one voxel")
        total = values if total is None else total * values
    if total is not None and not float(xp.max(total)) > 0:
        raise InputError(f"mask and weight of {what} leave no voxel; give ones that overlap")
    return total
