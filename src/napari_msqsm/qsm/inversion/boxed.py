"""The local field in a padded box around the mask, in ppm: what most inversions start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_msqsm._backend import namespace_of
from napari_msqsm.errors import InputError
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.dipole import dipole_kernel
from napari_msqsm.qsm.inversion.result import Inversion
from napari_msqsm.qsm.robust import any_of, mean_inside

if TYPE_CHECKING:
    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.box import Box


@dataclass(frozen=True)
class BoxedField:
    """What an inversion works on.

    Parameters
    ----------
    box
        Where it lies.
    mask
        (X, Y, Z) bool, of the image.
    inside
        The mask in the box.
    field_ppm
        Field in the box, zero outside the mask.
    dipole
        Unit dipole of the box, in k-space on the half spectrum.
    """

    box: Box
    mask: Array
    inside: Array
    field_ppm: Array
    dipole: Array

    def weights(self, noise_sd_hz: Array | None) -> Array:
        """One over the noise in the box, of mean 1 in the mask; zero where the field was not measured.

        Without a noise map every voxel of the mask has weight 1. A noise of zero means *not measured*.

        Raises
        ------
        InputError
            When no voxel of the mask was measured.
        """
        xp = namespace_of(self.field_ppm, self.inside)
        if noise_sd_hz is None:
            return xp.astype(self.inside, self.field_ppm.dtype)
        noise = self.box.crop(noise_sd_hz)
        measured = self.inside & (noise > 0)
        if not any_of(measured):
            raise InputError("noise_sd_hz is zero in the whole mask; give the field's standard deviation in Hz there")
        inverse = xp.where(measured, 1.0 / xp.where(measured, noise, xp.ones_like(noise)), xp.zeros_like(noise))
        return xp.astype(inverse / mean_inside(inverse, self.inside), self.field_ppm.dtype)

    def inversion(self, chi_ppm: Array, **report: Any) -> Inversion:
        """Make the result of χ in the box; ``report`` is what `Inversion` says about how it was found."""
        xp = namespace_of(chi_ppm, self.inside)
        return Inversion(self.box.embed(xp.where(self.inside, chi_ppm, xp.zeros_like(chi_ppm))), self.mask, **report)


def boxed_field(
    local_field_hz: Array,
    *,
    mask: Array,
    voxel_size_mm: tuple[float, float, float],
    b0_direction: tuple[float, float, float],
    hz_per_ppm: float,
    margin_mm: float,
) -> BoxedField:
    """Cut the field to the mask and a margin, in ppm; arguments as of every inversion.

    Raises
    ------
    InputError
        When the mask is empty.
    """
    xp = namespace_of(local_field_hz, mask)
    box = box_around(mask, voxel_size_mm, margin_mm=margin_mm)
    field = box.crop(xp.where(mask, local_field_hz, xp.zeros_like(local_field_hz))) / hz_per_ppm
    dipole = dipole_kernel(box.shape, voxel_size_mm, b0_direction, like=field)
    return BoxedField(box, mask, box.crop(mask), field, dipole)
