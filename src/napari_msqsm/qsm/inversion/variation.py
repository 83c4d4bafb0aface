"""What methods that penalise the gradient of χ share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from array_api_compat import device

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.conjugate_gradient import dot
from napari_msqsm.qsm.stencils import gradient_adjoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm._backend import Array

OVER_RELAXATION = 1.6
"""Boyd S et al., Found Trends Mach Learn 2011;3:1 (doi 10.1561/2200000016), section 3.4.3: between 1.5 and 1.8."""


def gradient_power(shape: tuple[int, int, int], voxel_size_mm: tuple[float, float, float], *, like: Array) -> Array:
    r"""Spectrum of GᵀG, where G are the periodic differences of `qsm.stencils.gradient`, on the half spectrum.

    .. math:: |G(k)|^2 = \sum_a \left( \frac{2}{h_a} \sin \frac{\pi k_a}{n_a} \right)^2

    Parameters
    ----------
    shape
        (X, Y, Z) of the image.
    voxel_size_mm
        Voxel edges h.
    like
        An array whose library, device and (real) dtype the result takes.

    Returns
    -------
    Array
        (X, Y, Z // 2 + 1), 1/mm².
    """
    xp = namespace_of(like)
    power = 0.0
    for axis, (n, step) in enumerate(zip(shape, voxel_size_mm, strict=True)):
        index = xp.arange(n // 2 + 1 if axis == 2 else n, dtype=like.dtype, device=device(like))
        part = ((2.0 / step) * xp.sin(index * (math.pi / n))) ** 2
        power = power + xp.reshape(part, tuple(-1 if a == axis else 1 for a in range(3)))
    return power


def soft_threshold(values: Array, threshold: float) -> Array:
    """Values moved towards zero by ``threshold``: the proximal map of the absolute value."""
    xp = namespace_of(values)
    return values - xp.clip(values, -threshold, threshold)


def total_variation(gradients: Sequence[Array]) -> float:
    """Sum of the absolute differences, each direction for itself: the same for a mirrored image."""
    xp = namespace_of(*gradients)
    return sum(float(xp.sum(xp.abs(part))) for part in gradients)


def relative_change(new: Array, old: Array, mask: Array) -> float:
    """Compute ‖new − old‖ / ‖new‖ in the mask; 0 when both are zero."""
    xp = namespace_of(new, old, mask)
    zero = xp.zeros_like(new)
    step, size = xp.where(mask, new - old, zero), xp.where(mask, new, zero)
    moved, squared = dot(step, step), dot(size, size)
    if squared == 0:
        return math.inf if moved > 0 else 0.0
    return math.sqrt(moved / squared)


@dataclass
class SplitGradient:
    """The gradient of χ and its sparse copy, tied by the alternating direction method of multipliers.

    Parameters
    ----------
    copy
        Three (X, Y, Z) components, the sparse copy.
    dual
        Their scaled dual variables.
    """

    copy: list[Array]
    dual: list[Array]

    @classmethod
    def zeros(cls, like: Array) -> SplitGradient:
        """All zero, of the shape of χ."""
        xp = namespace_of(like)
        return cls([xp.zeros_like(like) for _ in range(3)], [xp.zeros_like(like) for _ in range(3)])

    def pull(self, voxel_size_mm: tuple[float, float, float]) -> Array:
        """Gᵀ(copy − dual): what the step for χ is drawn to."""
        wanted = [copy - dual for copy, dual in zip(self.copy, self.dual, strict=True)]
        return gradient_adjoint(wanted, voxel_size_mm, periodic=True)

    def update(self, slopes: Sequence[Array], threshold: float) -> None:
        """Step for the copy (soft thresholding) and for the dual variables, over-relaxed, in place."""
        for axis, (copy, dual, slope) in enumerate(zip(self.copy, self.dual, slopes, strict=True)):
            dual += OVER_RELAXATION * slope + (1.0 - OVER_RELAXATION) * copy
            self.copy[axis] = soft_threshold(dual, threshold)
            dual -= self.copy[axis]
