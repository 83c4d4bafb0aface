r"""Filtering out what is left of a background field: a harmonic field equals its own mean over any sphere.

Every voxel is compared with its mean over the largest sphere around it that lies in the mask, or, in the outermost
layer but one, with the mean of its six neighbours (weighted by 1/spacing², the discrete Laplace operator):

.. math:: S f(r) = f(r) - \overline{f}_{R(r)}(r)

Source: fixed radius: Schweser F et al., NeuroImage 2011;54:2789 (doi 10.1016/j.neuroimage.2010.10.070); radius by
the distance to the edge: Li W et al., NeuroImage 2011;55:1645 (doi 10.1016/j.neuroimage.2010.11.088).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from array_api_compat import device

from napari_msqsm._backend import fft_for, namespace_of
from napari_msqsm.qsm.dipole import convolve
from napari_msqsm.qsm.spherical_mean import inside_spheres, sphere_kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm._backend import Array

_AXES = (0, 1, 2)


@dataclass(frozen=True)
class HarmonicFilter:
    """The filter: one averaging kernel per region.

    Parameters
    ----------
    kernels
        Averaging kernels in k-space, on the half spectrum.
    regions
        (X, Y, Z) bool, where each is used; they do not overlap.
    """

    kernels: tuple[Array, ...]
    regions: tuple[Array, ...]

    @property
    def covered(self) -> Array:
        """Voxels that one of the kernels serves."""
        out = self.regions[0]
        for region in self.regions[1:]:
            out = out | region
        return out

    def apply(self, image: Array) -> Array:
        """Image minus its local mean; zero where no kernel serves."""
        xp = namespace_of(image)
        out = xp.zeros_like(image)
        for kernel, region in zip(self.kernels, self.regions, strict=True):
            out = xp.where(region, image - convolve(image, kernel), out)
        return out

    def noise(self, noise_sd: Array) -> Array:
        """Propagate a standard deviation as the toolbox does: √(mean of σ² + σ²)."""
        xp = namespace_of(noise_sd)
        variance = noise_sd * noise_sd
        out = xp.zeros_like(noise_sd)
        for kernel, region in zip(self.kernels, self.regions, strict=True):
            mean = convolve(variance, kernel)
            out = xp.where(region, xp.sqrt(xp.where(mean > 0, mean, xp.zeros_like(mean)) + variance), out)
        return out


def harmonic_filter(
    mask: Array,
    voxel_size_mm: tuple[float, float, float],
    *,
    radii_mm: Sequence[float],
    neighbours_at_edge: bool,
    like: Array,
) -> HarmonicFilter:
    """Build the filter of a mask.

    Parameters
    ----------
    mask
        (X, Y, Z) bool; only its voxels are averaged over.
    voxel_size_mm
        Voxel edges.
    radii_mm
        Radii of the spheres; each voxel takes the largest that fits.
    neighbours_at_edge
        Use the six neighbours where no sphere fits.
    like
        An array whose library, device and (real) dtype the kernels take.
    """
    xp = namespace_of(mask, like)
    kernels, regions = [], []
    free = mask
    candidates = [sphere_kernel(mask.shape, voxel_size_mm, radius, like=like) for radius in sorted(radii_mm)[::-1]]
    if neighbours_at_edge:
        candidates.append(neighbour_kernel(mask.shape, voxel_size_mm, like=like))
    for kernel in candidates:
        region = inside_spheres(mask, kernel) & free
        if bool(xp.any(region)):
            kernels.append(kernel)
            regions.append(region)
            free = free & ~region
    return HarmonicFilter(tuple(kernels), tuple(regions))


def neighbour_kernel(shape: tuple[int, int, int], voxel_size_mm: tuple[float, float, float], *, like: Array) -> Array:
    """Mean of the six neighbours weighted by 1/spacing², in k-space: subtracting it is minus the Laplacian, scaled."""
    xp = namespace_of(like)
    image = xp.zeros(shape, dtype=like.dtype, device=device(like))
    total = 2.0 * sum(1.0 / step**2 for step in voxel_size_mm)
    for axis, step in enumerate(voxel_size_mm):
        for place in (1 % shape[axis], shape[axis] - 1):
            index = tuple(place if a == axis else 0 for a in _AXES)
            image[index] = image[index] + 1.0 / (step**2 * total)
    return xp.real(fft_for(xp).rfftn(image, axes=_AXES))


class FilteredDipole:
    """Susceptibility → filtered field, and the adjoint; without a filter, the dipole alone.

    Dipole and averages share one transform of the input: 1 + n FFTs for n kernels.
    """

    def __init__(self, dipole: Array, harmonic: HarmonicFilter | None) -> None:
        xp = namespace_of(dipole)
        self._fft = fft_for(xp)
        self._kernels = [dipole] if harmonic is None else [dipole * (1.0 - kernel) for kernel in harmonic.kernels]
        self._regions = None if harmonic is None else [xp.astype(r, dipole.dtype) for r in harmonic.regions]

    def forward(self, chi: Array) -> Array:
        """Field of χ after the filter."""
        spectrum = self._fft.rfftn(chi, axes=_AXES)
        if self._regions is None:
            spectrum *= self._kernels[0]
            return self._fft.irfftn(spectrum, s=chi.shape, axes=_AXES)
        total = namespace_of(chi).zeros_like(chi)
        for kernel, region in zip(self._kernels, self._regions, strict=True):
            part = self._fft.irfftn(spectrum * kernel, s=chi.shape, axes=_AXES)
            part *= region
            total += part
        return total

    def mean_power(self, weights: Array) -> Array:
        """Spectrum of adjoint ∘ forward as it would be were every kernel used everywhere, by their shares of weight.

        Parameters
        ----------
        weights
            (X, Y, Z), ≥ 0; says how much each voxel of the field counts.
        """
        if self._regions is None:
            return self._kernels[0] ** 2
        xp = namespace_of(weights)
        whole = float(xp.sum(weights)) or 1.0
        shares = [float(xp.sum(weights * region)) / whole for region in self._regions]
        return sum(share * kernel**2 for share, kernel in zip(shares, self._kernels, strict=True))

    def adjoint(self, field: Array) -> Array:
        """⟨forward χ, f⟩ = ⟨χ, adjoint f⟩."""
        spectrum = None
        for kernel, region in zip(self._kernels, self._regions or [None] * len(self._kernels), strict=True):
            part = self._fft.rfftn(field if region is None else field * region, axes=_AXES)
            part *= kernel
            if spectrum is None:
                spectrum = part
            else:
                spectrum += part
        return self._fft.irfftn(spectrum, s=field.shape, axes=_AXES)
