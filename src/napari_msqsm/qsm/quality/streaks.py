r"""How much of a map lies on the cone where the dipole kernel is zero.

On the cone |D| ≈ 0 (54.7° to B0 in k-space) the field says nothing: what a map holds there is amplified noise, which
the eye sees as streaks at the magic angle, or what the regularisation put there. Tissue has no reason to prefer these
directions.

Source: Milovic C et al., MRM 2021;85:480 (doi 10.1002/mrm.28435), who compare the spectrum of a map in regions of |D|
to choose a regularisation.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from array_api_compat import device

from napari_msqsm._backend import fft_for, namespace_of
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.dipole import dipole_kernel
from napari_msqsm.qsm.robust import any_of, mean_inside

if TYPE_CHECKING:
    from napari_msqsm._backend import Array

_ON_THE_CONE = 0.05
_OFF_THE_CONE = (0.15, 0.3)
"""|D| of the two regions; the second is close by in angle, so that the shape of the head weighs little."""
_SHELLS = 8
_SLACK = 1.0 + 1e-4
"""Of every limit, so that rounding does not decide on samples that lie on it."""
_LOWEST_SHARE = 0.3
"""Of the highest frequency that all three axes resolve: below lies the shape of the head."""
_MARGIN_MM = 8.0


def streak_index(
    chi_ppm: Array,
    *,
    mask: Array,
    voxel_size_mm: tuple[float, float, float],
    b0_direction: tuple[float, float, float],
) -> float:
    r"""Power on the cone relative to the power beside it.

    .. math:: \exp\Bigl(\sum_s w_s \ln
       \frac{\langle|\hat\chi|^2\rangle_{|D| \le 0.05,\,s}}{\langle|\hat\chi|^2\rangle_{0.15 < |D| \le 0.3,\,s}}\Bigr)

    over eight shells s of equal width in \|k\|, from 0.3 to 1 times the highest frequency that all three axes resolve,
    weighted by their number of samples on the cone.

    Parameters
    ----------
    chi_ppm
        (X, Y, Z); its mean inside the mask is taken away first.
    mask
        (X, Y, Z) bool.
    voxel_size_mm, b0_direction
        Grid; B0 in voxel axes.

    Returns
    -------
    float
        About 1 for a map as isotropic as tissue, more with streaks, less where the cone was left empty. NaN for an
        empty map or too small an image.
    """
    if not any_of(mask):
        return math.nan
    xp = namespace_of(chi_ppm, mask)
    box = box_around(mask, voxel_size_mm, margin_mm=_MARGIN_MM)
    centred = xp.where(mask, chi_ppm - mean_inside(chi_ppm, mask), xp.zeros_like(chi_ppm))
    spectrum = fft_for(xp).rfftn(box.crop(centred), axes=(0, 1, 2))
    power = xp.real(spectrum) ** 2 + xp.imag(spectrum) ** 2
    response = xp.abs(dipole_kernel(box.shape, voxel_size_mm, b0_direction, like=chi_ppm))
    frequency, weight = _frequency_and_weight(box.shape, voxel_size_mm, chi_ppm)
    on = weight * xp.astype(response <= _ON_THE_CONE * _SLACK, power.dtype)
    off = weight * xp.astype(
        (response > _OFF_THE_CONE[0] * _SLACK) & (response <= _OFF_THE_CONE[1] * _SLACK), power.dtype
    )
    highest = _SLACK * 0.5 / max(voxel_size_mm)
    total, samples = 0.0, 0.0
    for shell in range(_SHELLS):
        low, high = (highest * (_LOWEST_SHARE + (1.0 - _LOWEST_SHARE) * (shell + k) / _SHELLS) for k in (0, 1))
        inside = xp.astype((frequency > low) & (frequency <= high), power.dtype)
        n_on, n_off = float(xp.sum(on * inside)), float(xp.sum(off * inside))
        if n_on == 0 or n_off == 0:
            continue
        p_on, p_off = float(xp.sum(on * inside * power)) / n_on, float(xp.sum(off * inside * power)) / n_off
        if p_on > 0 and p_off > 0:
            total += n_on * math.log(p_on / p_off)
            samples += n_on
    return math.exp(total / samples) if samples else math.nan


def _frequency_and_weight(
    shape: tuple[int, int, int], voxel_size_mm: tuple[float, float, float], like: Array
) -> tuple[Array, Array]:
    """|k| in 1/mm on the half spectrum, and how many samples of the full spectrum each stands for."""
    xp = namespace_of(like)
    home = device(like)
    squared = 0.0
    for axis, (n, step) in enumerate(zip(shape, voxel_size_mm, strict=True)):
        index = xp.arange(n // 2 + 1 if axis == 2 else n, dtype=like.dtype, device=home)
        if axis != 2:
            index = xp.where(index >= (n + 1) // 2, index - n, index)
        k = index / (n * float(step))
        squared = squared + xp.reshape(k * k, tuple(-1 if a == axis else 1 for a in range(3)))
    last = xp.arange(shape[2] // 2 + 1, dtype=like.dtype, device=home)
    alone = (last == 0) | (2 * last == shape[2])
    pair = xp.where(alone, xp.ones_like(last), xp.full_like(last, 2.0))
    return xp.sqrt(xp.asarray(squared)), xp.reshape(pair, (1, 1, -1))
