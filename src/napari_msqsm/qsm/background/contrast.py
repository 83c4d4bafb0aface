"""χ as an unknown smooth function of the magnitude: the columns that its least-squares fit needs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from array_api_compat import device

from napari_msqsm._backend import fft_for, namespace_of
from napari_msqsm.qsm.dipole import convolve
from napari_msqsm.qsm.robust import mean_inside, quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm._backend import Array

_DARKEST = 0.02
"""Least magnitude that is told apart, as a part of the median."""
_LEAST_STEP = 0.005
_TAIL = 0.02
"""Part of the voxels beyond the first and the last knot."""


def unshaded_log(
    magnitude: Array, mask: Array, *, voxel_size_mm: tuple[float, float, float], shading_mm: float
) -> Array:
    """Log magnitude with its slow changes taken out, zero outside the mask.

    Parameters
    ----------
    magnitude
        (X, Y, Z), ≥ 0; what lies outside the mask has no say.
    mask
        (X, Y, Z) bool.
    voxel_size_mm
        Voxel edges.
    shading_mm
        Standard deviation of the Gaussian mean that counts as shading of the coils.
    """
    xp = namespace_of(magnitude, mask)
    least = _DARKEST * quantile(magnitude[mask], 0.5)
    zero = xp.zeros_like(magnitude)
    if not least > 0:
        return zero
    bright = xp.where(mask & (magnitude > least), magnitude, zero + least)
    image = xp.where(mask, xp.log(bright * (1.0 / least)), zero)
    blur = _gaussian(magnitude.shape, voxel_size_mm, shading_mm, like=magnitude)
    weight = convolve(xp.astype(mask, magnitude.dtype), blur)
    shading = convolve(image, blur) / xp.where(mask, weight, xp.ones_like(weight))
    return xp.where(mask, image - shading, zero)


def hat_functions(image: Array, mask: Array, *, n_levels: int) -> list[Array]:
    """Columns that span all continuous functions of an image, linear between quantiles, of mean 0 in the mask.

    Parameters
    ----------
    image
        (X, Y, Z).
    mask
        (X, Y, Z) bool.
    n_levels
        Knots; those closer than 0.005 to the one before (half a percent of a magnitude) are left out.

    Returns
    -------
    list of Array
        One column fewer than distinct knots, (X, Y, Z), zero outside the mask: a constant is left out.
    """
    xp = namespace_of(image, mask)
    values = image[mask]
    tails = [_TAIL + (1.0 - 2.0 * _TAIL) * level / (n_levels - 1) for level in range(n_levels)]
    knots: list[float] = []
    for knot in (quantile(values, q) for q in tails):
        if not knots or knot > knots[-1] + _LEAST_STEP:
            knots.append(knot)
    columns = []
    for number in range(len(knots) - 1):
        hat = _falling(image, knots[number], knots[number + 1])
        if number > 0:
            hat = hat - _falling(image, knots[number - 1], knots[number])
        columns.append(xp.where(mask, hat - mean_inside(hat, mask), xp.zeros_like(hat)))
    return columns


def orthonormal(columns: Sequence[Array]) -> tuple[list[Array], list[list[float]]]:
    """Orthonormal basis of columns, and the upper triangle that leads back to them (a column per entry).

    Columns that depend on earlier ones are dropped: their entry is empty.
    """
    xp = namespace_of(*columns)
    basis: list[Array] = []
    triangle: list[list[float]] = []
    for column in columns:
        before = math.sqrt(float(xp.sum(column * column)))
        entry: list[float] = []
        rest = column
        for unit in basis:
            part = float(xp.sum(unit * rest))
            entry.append(part)
            rest = rest - part * unit
        left = math.sqrt(float(xp.sum(rest * rest)))
        if not left > 1e-3 * before:
            triangle.append([])
            continue
        basis.append(rest * (1.0 / left))
        triangle.append([*entry, left])
    return basis, triangle


def _falling(image: Array, low: float, high: float) -> Array:
    """1 up to ``low``, 0 from ``high`` on, linear between."""
    xp = namespace_of(image)
    slope = (high - image) * (1.0 / (high - low))
    ones, zeros = xp.ones_like(image), xp.zeros_like(image)
    return xp.where(slope > 1.0, ones, xp.where(slope < 0.0, zeros, slope))


def _gaussian(shape: Sequence[int], voxel_size_mm: Sequence[float], sd_mm: float, *, like: Array) -> Array:
    """Periodic Gaussian of unit sum in k-space, on the half spectrum: for `convolve`.

    Made in the image: where it is wider than the image, it stays positive.
    """
    xp = namespace_of(like)
    kernel = xp.ones((1, 1, 1), dtype=like.dtype, device=device(like))
    for axis, (n, step) in enumerate(zip(shape, voxel_size_mm, strict=True)):
        index = xp.arange(n, dtype=like.dtype, device=device(like))
        distance = xp.where(index > n / 2, index - n, index) * (step / sd_mm)
        weights = xp.exp(-0.5 * distance * distance)
        kernel = kernel * xp.reshape(weights / float(xp.sum(weights)), tuple(-1 if a == axis else 1 for a in range(3)))
    return xp.real(fft_for(xp).rfftn(kernel, axes=(0, 1, 2)))
