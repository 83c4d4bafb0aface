"""Pictures that show at a glance how well two images lie on each other; plain arrays in, plain arrays out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_DARK, _BRIGHT = 0.01, 0.995
_MOST_SAMPLES = 400_000
_BOUNDS = (*np.linspace(0.0, 0.98, 50), 0.985, 0.99, 0.993, 0.996, 0.998, 0.999, 1.0)
"""Fractions of the voxels at which bins begin; narrower at the bright end, where few voxels span many grey levels."""
_FEWEST_IN_BIN = 8


def brightness_range(array: NDArray[Any]) -> tuple[float, float]:
    """Values to show as black and as white: all but the extreme ones, of voxels that are not empty.

    Parameters
    ----------
    array
        Any shape; zeros and values that are not finite are taken for empty.

    Returns
    -------
    tuple
        The 1st and the 99.5th percentile; (0, 1) where all is empty.
    """
    values = np.ravel(array)
    values = values[:: max(1, values.size // _MOST_SAMPLES)]
    values = values[np.isfinite(values) & (values != 0)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = (float(value) for value in np.quantile(values, (_DARK, _BRIGHT)))
    return (low, high) if high > low else (low, low + 1.0)


def as_brightness(array: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.float32]:
    """Scale values to 0 (black) … 1 (white); what lies outside the limits is cut off, what is not finite is black."""
    low, high = limits
    scaled = (np.asarray(array, dtype=np.float32) - np.float32(low)) / np.float32(high - low)
    return np.asarray(np.clip(np.nan_to_num(scaled, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0), dtype=np.float32)


def checkerboard(
    first: NDArray[Any], second: NDArray[Any], positions_mm: tuple[ArrayLike, ...], square_mm: float
) -> NDArray[Any]:
    """Squares of two images in turn: an outline that goes on from square to square lies on itself.

    Parameters
    ----------
    first, second
        (...) of one shape and brightness.
    positions_mm
        For each axis, where its voxels are; a square ends where a multiple of ``square_mm`` is passed.
    square_mm
        Edge of a square.

    Returns
    -------
    NDArray
        ``first`` where the numbers of squares from the origin add up to an even number, ``second`` elsewhere.
    """
    shape = first.shape
    odd = np.zeros(shape, dtype=np.int64)
    for axis, positions in enumerate(positions_mm):
        number = np.floor(np.asarray(positions, dtype=np.float64) / square_mm).astype(np.int64)
        odd += number.reshape([-1 if axis == each else 1 for each in range(len(shape))])
    return np.where(odd % 2 == 0, first, second)


def edges(array: NDArray[Any], spacing_mm: tuple[float, ...], *, blur_mm: float = 1.0) -> NDArray[np.float32]:
    """Thin outlines: the slope of the blurred image where it is steepest along its own direction.

    Parameters
    ----------
    array
        (...); an axis of one voxel is left alone, so that the outlines are those in the plane shown.
    spacing_mm
        Distance of voxels along each axis.
    blur_mm
        Standard deviation of the Gaussian.

    Returns
    -------
    NDArray
        Slope along the outlines in units of the array per mm, 0 elsewhere.

    Notes
    -----
    Canny J., IEEE PAMI 1986;8:679 (doi 10.1109/TPAMI.1986.4767851). Differs from the paper: no hysteresis; how faint
    an outline may be is left to the contrast window.
    """
    from scipy import ndimage

    lengths = [spacing for spacing, size in zip(spacing_mm, array.shape, strict=True) if size > 1]
    flat = np.squeeze(np.nan_to_num(np.asarray(array, dtype=np.float32)))
    if flat.ndim == 0:
        return np.zeros(array.shape, dtype=np.float32)
    blurred = ndimage.gaussian_filter(flat, [blur_mm / spacing for spacing in lengths])
    slopes = np.gradient(blurred, *lengths) if flat.ndim > 1 else [np.gradient(blurred, *lengths)]
    slope = np.sqrt(sum(component**2 for component in slopes)).astype(np.float32)
    steps = [
        np.where(slope > 0, component / np.where(slope > 0, slope, 1) * (min(lengths) / spacing), 0)
        for component, spacing in zip(slopes, lengths, strict=True)
    ]
    places = np.indices(flat.shape)
    ahead = ndimage.map_coordinates(slope, [place + step for place, step in zip(places, steps, strict=True)], order=1)
    behind = ndimage.map_coordinates(slope, [place - step for place, step in zip(places, steps, strict=True)], order=1)
    thin = np.where((slope > ahead) & (slope >= behind), slope, np.float32(0))
    return thin.reshape(array.shape).astype(np.float32)


@dataclass(frozen=True, eq=False)
class GreyLevels:
    """Which value of the fixed image is expected where the moving image has a given one.

    Parameters
    ----------
    moving_values
        (bin,) increasing values of the moving image.
    fixed_values
        (bin,) mean of the fixed image where the moving image has them.
    fixed_range
        Values of the fixed image shown as black and white; their distance is the unit of a difference.
    """

    moving_values: NDArray[np.float64]
    fixed_values: NDArray[np.float64]
    fixed_range: tuple[float, float]

    def apply(self, moving: NDArray[Any]) -> NDArray[np.float32]:
        """Give the moving image the grey levels of the fixed one."""
        return np.asarray(np.interp(moving, self.moving_values, self.fixed_values), dtype=np.float32)

    def difference(self, fixed: NDArray[Any], moving: NDArray[Any]) -> NDArray[np.float32]:
        """Subtract the moving image, in the fixed one's grey levels, from the fixed one; 1 is from black to white.

        Not a number where the moving image is not one; 0 where both are empty (0).
        """
        low, high = self.fixed_range
        out = (np.asarray(fixed, dtype=np.float32) - self.apply(moving)) / np.float32(high - low)
        is_empty = (np.asarray(fixed) == 0) & (np.asarray(moving) == 0)
        return np.where(is_empty, np.float32(0), np.where(np.isfinite(moving), out, np.nan)).astype(np.float32)


def grey_levels_of(fixed: NDArray[Any], moving: NDArray[Any]) -> GreyLevels:
    """Learn grey levels from two images that lie roughly on each other, whatever their contrasts.

    Parameters
    ----------
    fixed, moving
        (...) on one grid; pairs with a value that is not finite do not count.

    Returns
    -------
    GreyLevels
        E[fixed | moving], the fit whose quality the correlation ratio tells.

    Notes
    -----
    Roche A. et al., MICCAI 1998, LNCS 1496:1115 (doi 10.1007/BFb0056301). Differs from the paper: used to show what
    the registration left over, not to register; empty air (0 in both) is left out.
    """
    first, second = np.ravel(fixed).astype(np.float64), np.ravel(moving).astype(np.float64)
    counts = np.isfinite(first) & np.isfinite(second) & ((first != 0) | (second != 0))
    first, second = first[counts], second[counts]
    limits = brightness_range(first)
    if first.size < len(_BOUNDS) * _FEWEST_IN_BIN:
        return GreyLevels(np.array([0.0, 1.0]), np.array([0.0, 0.0]), limits)
    bounds = np.unique(np.quantile(second, _BOUNDS))
    which = np.searchsorted(bounds, second, side="right") - 1
    n = np.bincount(which)
    filled = n >= _FEWEST_IN_BIN
    return GreyLevels(
        (np.bincount(which, weights=second) / np.maximum(n, 1))[filled],
        (np.bincount(which, weights=first) / np.maximum(n, 1))[filled],
        limits,
    )
