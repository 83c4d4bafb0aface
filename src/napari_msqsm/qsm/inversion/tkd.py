r"""TKD: thresholded k-space division.

.. math:: \hat\chi(k) = \hat f(k) / \tilde D(k), \quad \tilde D = \operatorname{sign}(D) \max(|D|, t)

divided by the mean of :math:`D / \tilde D` over k-space, which undoes the loss of contrast.

Source: Shmueli K et al., MRM 2009;62:1510 (doi 10.1002/mrm.22135); correction: Schweser F et al., MRM 2013;69:1582
(doi 10.1002/mrm.24405).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import fft_for, namespace_of
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.dipole import convolve, dipole_kernel
from napari_msqsm.qsm.inversion.result import Inversion
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


class TkdSettings(Settings):
    """Thresholded k-space division."""

    method: Literal["tkd"] = "tkd"
    threshold: float = quantity(
        0.15, gt=0, lt=1.0 / 3.0, top=True, help="Smallest |D| that is divided by.", source="doi 10.1002/mrm.22135"
    )
    margin_mm: float = quantity(
        24.0, ge=0, unit="mm", help="Empty margin around the mask that keeps periodic copies of the head apart."
    )


def tkd(
    local_field_hz: Array,
    *,
    mask: Array,
    voxel_size_mm: tuple[float, float, float],
    b0_direction: tuple[float, float, float],
    hz_per_ppm: float,
    settings: TkdSettings | None = None,
) -> Inversion:
    """Susceptibility by one division in k-space: fast, with streaks.

    Parameters
    ----------
    local_field_hz
        (X, Y, Z); ignored outside the mask.
    mask
        (X, Y, Z) bool.
    voxel_size_mm, b0_direction
        Grid; B0 in voxel axes.
    hz_per_ppm
        Field in Hz of 1 ppm.
    settings
        Threshold.
    """
    settings = settings or TkdSettings()
    xp = namespace_of(local_field_hz, mask)
    box = box_around(mask, voxel_size_mm, margin_mm=settings.margin_mm)
    inside = box.crop(mask)
    field_ppm = box.crop(xp.where(mask, local_field_hz, xp.zeros_like(local_field_hz))) / hz_per_ppm
    kernel = dipole_kernel(box.shape, voxel_size_mm, b0_direction, like=field_ppm)
    size = xp.abs(kernel)
    floor = xp.where(size < settings.threshold, xp.full_like(size, settings.threshold), size)
    inverse = xp.where(kernel < 0, -1.0 / floor, 1.0 / floor)
    chi = convolve(field_ppm, inverse) / _mean_gain(kernel * inverse, box.shape)
    return Inversion(box.embed(xp.where(inside, chi, xp.zeros_like(chi))), mask)


def _mean_gain(gain: Array, shape: tuple[int, int, int]) -> float:
    """Mean over the full spectrum of a gain given on its half: the value at the centre of its point-spread function."""
    xp = namespace_of(gain)
    fft = fft_for(xp)
    centre = fft.irfftn(gain + 0.0j * gain, s=shape, axes=(0, 1, 2))[0, 0, 0]
    return float(centre) if math.isfinite(float(centre)) else 1.0
