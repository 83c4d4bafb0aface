r"""How far a map is from the data and how much it varies: the two axes of every choice of a weight.

.. math::

   m = \sqrt{\frac{1}{n} \sum_{r} \left( \frac{S(D\chi - f)(r)}{\sigma_S(r)} \right)^2}, \qquad
   v = \frac{1}{N} \sum_{r \in mask} |\nabla \chi|_1

with D the dipole, f the local field, S a filter against harmonic fields and σ_S the noise after it. Both are computed
from χ alone, so that they mean the same for every inversion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm._backend import fft_for, namespace_of
from napari_msqsm.errors import InputError
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.dipole import convolve, dipole_kernel
from napari_msqsm.qsm.harmonic_filter import FilteredDipole, harmonic_filter
from napari_msqsm.qsm.robust import count
from napari_msqsm.qsm.stencils import gradient, pairs_inside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.box import Box
    from napari_msqsm.qsm.harmonic_filter import HarmonicFilter

_MARGIN_MM = 24.0
_AXES = (0, 1, 2)


@dataclass(frozen=True)
class Judge:
    """Data against which maps are held.

    Parameters
    ----------
    box
        Where the mask and its margin lie.
    model
        χ in ppm → filtered field in ppm.
    field_ppm
        Filtered field in the box.
    weights_per_ppm
        One over its noise; zero where it is not used.
    voxels
        How many are used.
    voxel_size_mm
        Voxel edges.
    """

    box: Box
    model: FilteredDipole
    field_ppm: Array
    weights_per_ppm: Array
    voxels: int
    voxel_size_mm: tuple[float, float, float]

    def misfit(self, chi_ppm: Array) -> float:
        """Root mean square of the residual field over its noise; 1 where only noise is left."""
        xp = namespace_of(chi_ppm)
        residual = (self.model.forward(self.box.crop(chi_ppm)) - self.field_ppm) * self.weights_per_ppm
        return math.sqrt(float(xp.sum(residual * residual)) / self.voxels)

    def variation(self, chi_ppm: Array, mask: Array) -> float:
        """Sum of the absolute differences between neighbours in the mask, ppm per mm and voxel."""
        xp = namespace_of(chi_ppm, mask)
        total = 0.0
        for part, pair in zip(gradient(chi_ppm, self.voxel_size_mm), pairs_inside(mask), strict=True):
            total += float(xp.sum(xp.where(pair, xp.abs(part), xp.zeros_like(part))))
        return total / max(1, count(mask))


def judge_of(
    local_field_hz: Array,
    *,
    mask: Array,
    noise_sd_hz: Array,
    voxel_size_mm: tuple[float, float, float],
    b0_direction: tuple[float, float, float],
    hz_per_ppm: float,
    radii_mm: Sequence[float],
) -> Judge:
    """Prepare the data.

    Parameters
    ----------
    local_field_hz
        (X, Y, Z); ignored outside the mask.
    mask
        (X, Y, Z) bool.
    noise_sd_hz
        (X, Y, Z); standard deviation of the field, zero where it was not measured.
    voxel_size_mm, b0_direction
        Grid; B0 in voxel axes.
    hz_per_ppm
        Field in Hz of 1 ppm.
    radii_mm
        Spheres of the filter; none: no filter. After it, sources outside the mask have no say: an inversion may explain
        part of the field by such sources, which are not in its map.

    Raises
    ------
    InputError
        When no sphere fits around a measured voxel.
    """
    xp = namespace_of(local_field_hz, mask)
    box = box_around(mask, voxel_size_mm, margin_mm=max((_MARGIN_MM, *radii_mm)))
    noise = box.crop(noise_sd_hz) / hz_per_ppm
    measured = box.crop(mask) & (noise > 0)
    field = box.crop(local_field_hz) / hz_per_ppm
    field = xp.where(measured, field, xp.zeros_like(field))
    harmonic, variance = None, noise * noise
    if radii_mm:
        harmonic = harmonic_filter(measured, voxel_size_mm, radii_mm=radii_mm, neighbours_at_edge=True, like=field)
        if not harmonic.kernels:
            raise InputError(
                "the mask has no voxel whose neighbours are all in it and were measured, so that no weight can be "
                "chosen; give a larger mask or use weight_choice.method=fixed"
            )
        field, variance = harmonic.apply(field), filtered_variance(harmonic, variance, measured)
        measured = harmonic.covered
    used = measured & (variance > 0)
    weights = xp.where(used, 1.0 / xp.sqrt(xp.where(used, variance, xp.ones_like(variance))), xp.zeros_like(variance))
    dipole = dipole_kernel(box.shape, voxel_size_mm, b0_direction, like=field)
    model = FilteredDipole(dipole, harmonic)
    return Judge(box, model, field, weights, count(used), voxel_size_mm)


def filtered_variance(harmonic: HarmonicFilter, variance: Array, mask: Array) -> Array:
    """Variance of independent noise after the filter: (1 − 2k₀)σ² + Σ k²σ² with k the averaging kernel.

    `HarmonicFilter.noise` is the toolbox's rule, which counts the mean's noise as large as a voxel's own; as a weight
    that is harmless, as a size it is not.
    """
    xp = namespace_of(variance, mask)
    fft = fft_for(xp)
    variance = xp.where(mask, variance, xp.zeros_like(variance))
    out = xp.zeros_like(variance)
    for kernel, region in zip(harmonic.kernels, harmonic.regions, strict=True):
        image = fft.irfftn(kernel + 0.0j * kernel, s=variance.shape, axes=_AXES)
        squared = xp.real(fft.rfftn(image * image, axes=_AXES))
        own = 1.0 - 2.0 * float(image[0, 0, 0])
        out = xp.where(region, own * variance + convolve(variance, squared), out)
    return out
