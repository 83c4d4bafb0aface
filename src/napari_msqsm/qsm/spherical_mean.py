"""The spherical mean value: over a sphere without sources, a background field equals its own mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from array_api_compat import device

from napari_msqsm._backend import fft_for, namespace_of
from napari_msqsm.qsm.dipole import convolve

if TYPE_CHECKING:
    from napari_msqsm._backend import Array

_SUBVOXELS = 9
_ON_THE_SPHERE = 1.0 + 1e-5
"""Points on the sphere are inside, whatever the rounding."""
_NEARLY_WHOLE = 0.999
"""Part of the sphere that must lie in the mask, as in the toolbox: enough for what is left of a background field."""
WHOLE = 1.0 - 2e-5
"""All of a sphere of up to 25,000 voxels, but for rounding: for a whole background field, whose cut at the mask's edge
shows."""


def sphere_kernel(
    shape: tuple[int, int, int], voxel_size_mm: tuple[float, float, float], radius_mm: float, *, like: Array
) -> Array:
    """Averaging over a sphere, in k-space on the half spectrum of a real FFT: for `convolve`.

    The sphere is sampled in the image, each voxel weighted by its part inside, so that the kernel ends where the sphere
    ends (sampled in k-space it would ring through the whole image).

    Parameters
    ----------
    shape
        (X, Y, Z) of the image.
    voxel_size_mm
        Voxel edges.
    radius_mm
        Radius of the sphere.
    like
        An array whose library, device and (real) dtype the kernel takes.

    Source: Li L, Leigh JS, J Magn Reson 2001;148:442 (doi 10.1006/jmre.2000.2267).
    """
    xp = namespace_of(like)
    home = device(like)
    reach = [math.ceil(radius_mm / step) for step in voxel_size_mm]
    squared = 0.0
    for axis, (n, step) in enumerate(zip(reach, voxel_size_mm, strict=True)):
        fine = xp.arange((2 * n + 1) * _SUBVOXELS, dtype=like.dtype, device=home)
        place = (fine - 0.5 * ((2 * n + 1) * _SUBVOXELS - 1)) * (step / _SUBVOXELS)
        squared = squared + xp.reshape(place * place, tuple(-1 if a == axis else 1 for a in range(3)))
    inside = xp.astype(squared <= radius_mm * radius_mm * _ON_THE_SPHERE, like.dtype)
    sizes = [2 * n + 1 for n in reach]
    split = xp.reshape(inside, (sizes[0], _SUBVOXELS, sizes[1], _SUBVOXELS, sizes[2], _SUBVOXELS))
    block = xp.sum(split, axis=(1, 3, 5))
    block = block / float(xp.sum(block))
    image = xp.zeros(shape, dtype=like.dtype, device=home)
    if any(size > n for size, n in zip(sizes, shape, strict=True)):
        block = _folded(block, shape)
        sizes = list(block.shape)
    image[tuple(slice(0, size) for size in sizes)] = block
    image = xp.roll(image, tuple(-n for n in reach), axis=(0, 1, 2))
    return xp.real(fft_for(xp).rfftn(image, axes=(0, 1, 2)))


def inside_spheres(mask: Array, kernel: Array, *, least_share: float = _NEARLY_WHOLE) -> Array:
    """Voxels whose sphere lies in the mask with at least a share of it."""
    xp = namespace_of(mask, kernel)
    return convolve(xp.astype(mask, kernel.dtype), kernel) > least_share


def radii_between(max_radius_mm: float, voxel_size_mm: tuple[float, float, float]) -> list[float]:
    """Radii from the largest down to about one voxel (the edge of a cube of its volume), a smallest edge apart."""
    least = math.prod(voxel_size_mm) ** (1.0 / 3.0)
    count = max(0, round((max_radius_mm - least) / min(voxel_size_mm)))
    step = (max_radius_mm - least) / count if count else 0.0
    return [max_radius_mm - number * step for number in range(count + 1)]


def deconvolved(filtered: Array, mean: Array, *, truncation: float) -> Array:
    """Undo 1 − spherical mean in k-space; frequencies of which it leaves no more than ``truncation`` become zero."""
    xp = namespace_of(filtered, mean)
    left = 1.0 - mean
    kept = xp.abs(left) > truncation
    return convolve(filtered, xp.where(kept, 1.0 / xp.where(kept, left, xp.ones_like(left)), xp.zeros_like(left)))


def _folded(block: Array, shape: tuple[int, int, int]) -> Array:
    """Wrap a block that is larger than the periodic image."""
    xp = namespace_of(block)
    for axis, n in enumerate(shape):
        size = block.shape[axis]
        if size <= n:
            continue
        pieces = [
            xp.take(block, xp.arange(first, min(first + n, size), device=device(block)), axis=axis)
            for first in range(0, size, n)
        ]
        total = pieces[0]
        for piece in pieces[1:]:
            part = tuple(slice(0, piece.shape[axis]) if a == axis else slice(None) for a in range(3))
            total[part] += piece
        block = total
    return block
