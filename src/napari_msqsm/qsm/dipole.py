"""The unit dipole: from susceptibility to the field that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import device

from napari_msqsm._backend import fft_for, namespace_of

if TYPE_CHECKING:
    from napari_msqsm._backend import Array

_AXES = (0, 1, 2)


def dipole_kernel(
    shape: tuple[int, int, int],
    voxel_size_mm: tuple[float, float, float],
    b0_direction: tuple[float, float, float],
    *,
    like: Array,
) -> Array:
    r"""Compute the unit dipole in k-space on the half spectrum of a real FFT.

    .. math:: D(k) = 1/3 - (k \cdot b)^2 / |k|^2, \quad D(0) = 0

    Parameters
    ----------
    shape
        (X, Y, Z) of the image.
    voxel_size_mm
        Voxel edges along the voxel axes.
    b0_direction
        Unit vector of B0 in voxel axes.
    like
        An array whose library, device and (real) dtype the kernel takes.

    Returns
    -------
    Array
        (X, Y, Z // 2 + 1).

    Notes
    -----
    On the Nyquist plane of an even axis both signs of that component are one sample, so that their kernels must be
    averaged or the operator is neither self-adjoint nor the same for a mirrored image when B0 is oblique: the cross
    terms of Nyquist components drop out.

    Source: Salomir R et al., Concepts Magn Reson B 2003;19B:26 (doi 10.1002/cmr.b.10083); Marques JP, Bowtell R,
    Concepts Magn Reson B 2005;25B:65 (doi 10.1002/cmr.b.20034).
    """
    xp = namespace_of(like)
    home = device(like)
    parallel, nyquist_squared, squared = 0.0, 0.0, 0.0
    for axis, (n, step, component) in enumerate(zip(shape, voxel_size_mm, b0_direction, strict=True)):
        half = axis == len(shape) - 1
        index = xp.arange(n // 2 + 1 if half else n, dtype=like.dtype, device=home)
        if not half:
            index = xp.where(index >= (n + 1) // 2, index - n, index)
        k = index / (n * float(step))
        at_nyquist = xp.abs(index) * 2 == n
        place = tuple(-1 if a == axis else 1 for a in _AXES)
        inner = xp.reshape(xp.where(at_nyquist, xp.zeros_like(k), k), place)
        outer = xp.reshape(xp.where(at_nyquist, k, xp.zeros_like(k)), place)
        parallel = parallel + inner * float(component)
        nyquist_squared = nyquist_squared + (outer * float(component)) ** 2
        squared = squared + xp.reshape(k * k, place)
    at_zero = squared == 0
    ratio = (parallel**2 + nyquist_squared) / xp.where(at_zero, xp.ones_like(squared), squared)
    return xp.where(at_zero, xp.zeros_like(ratio), 1.0 / 3.0 - ratio)


def convolve(image: Array, kernel: Array) -> Array:
    """Periodic convolution of a real image with a real, even kernel on the half spectrum (self-adjoint)."""
    xp = namespace_of(image, kernel)
    fft = fft_for(xp)
    return fft.irfftn(fft.rfftn(image, axes=_AXES) * kernel, s=image.shape, axes=_AXES)
