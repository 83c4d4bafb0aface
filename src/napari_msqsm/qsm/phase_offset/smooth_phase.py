r"""A smooth phase from a noisy complex image, without the bias that smoothing alone leaves at the mask's edge.

.. math:: \theta = p + \arg \frac{G * (z\, e^{-ip})}{G * 1_M}

where the polynomial p of third order has taken away the slopes first: a Gaussian G that is cut by the edge of the mask
would pull a slope towards the inside.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from array_api_compat import device

from napari_msqsm._backend import fft_for, like, namespace_of, to_numpy
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.host.polynomial import fit_polynomial
from napari_msqsm.qsm.unwrapping.quality import quality

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array

_TWO_PI = 2.0 * math.pi
_REACH = 3.0
"""Standard deviations of the Gaussian between the mask and its periodic image."""
_ROUNDS = 2


def smooth_phase(
    real: Array, imaginary: Array, *, mask: Array, voxel_size_mm: tuple[float, float, float], sd_mm: float
) -> Array:
    """Phase of a complex image, smooth and without jumps.

    Parameters
    ----------
    real, imaginary
        (X, Y, Z) parts of z; its length is its weight.
    mask
        (X, Y, Z) bool.
    voxel_size_mm
        Voxel edges.
    sd_mm
        Standard deviation of the Gaussian.

    Returns
    -------
    Array
        (X, Y, Z) in rad, zero outside the mask; in each connected part the median is within ±π.
    """
    xp = namespace_of(real, imaginary, mask)
    zero = xp.zeros_like(real)
    real, imaginary = xp.where(mask, real, zero), xp.where(mask, imaginary, zero)
    smooth = _gaussian(mask, voxel_size_mm, sd_mm, real)

    def without_turn(turn: Array) -> tuple[Array, Array]:
        c, s = xp.cos(turn), xp.sin(turn)
        return real * c + imaginary * s, imaginary * c - real * s

    def averaged(turn: Array) -> tuple[Array, Array]:
        re, im = (smooth(part) for part in without_turn(turn))
        return xp.atan2(im, re), xp.sqrt(re * re + im * im)

    def polynomial(image: Array, weights: Array) -> Array:
        values = fit_polynomial(to_numpy(image), weights=to_numpy(weights), mask=to_numpy(mask))
        return like(values, real, dtype=real.dtype)

    rough, length = averaged(zero)
    rough = quality(xp.where(mask, rough, zero), period_hz=_TWO_PI, mask=mask, magnitude=length).field_hz
    slope = polynomial(rough, length)
    for _ in range(_ROUNDS):  # now to the voxels themselves: the Gaussian has bent the first one at the edge
        re, im = without_turn(slope)
        slope = slope + polynomial(xp.atan2(im, re), xp.sqrt(re * re + im * im))
    rest, length = averaged(slope)
    return quality(xp.where(mask, slope + rest, zero), period_hz=_TWO_PI, mask=mask, magnitude=length).field_hz


def _gaussian(
    mask: Array, voxel_size_mm: tuple[float, float, float], sd_mm: float, template: Array
) -> Callable[[Array], Array]:
    """Convolution with a Gaussian, in a box around the mask."""
    xp = namespace_of(mask, template)
    fft = fft_for(xp)
    box = box_around(mask, voxel_size_mm, margin_mm=_REACH * sd_mm)
    transfer = xp.ones((1, 1, 1), dtype=template.dtype, device=device(template))
    for axis, (n, step) in enumerate(zip(box.shape, voxel_size_mm, strict=True)):
        count = n // 2 + 1 if axis == 2 else n
        index = xp.arange(count, dtype=template.dtype, device=device(template))
        frequency = xp.where(index > n // 2, index - n, index) * (1.0 / (n * step))
        part = xp.exp(-0.5 * (_TWO_PI * sd_mm * frequency) ** 2)
        transfer = transfer * xp.reshape(part, tuple(count if a == axis else 1 for a in range(3)))

    def apply(image: Array) -> Array:
        return box.embed(fft.irfftn(fft.rfftn(box.crop(image)) * transfer, s=box.shape, axes=(0, 1, 2)))

    return apply
