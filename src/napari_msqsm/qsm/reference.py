"""What χ = 0 means: susceptibility is known up to a constant, which the mean of a reference region removes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.robust import mean_inside
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


class ReferenceSettings(Settings):
    """Zero of the map."""

    region: Literal["csf", "brain", "none"] = quantity(
        "csf",
        top=True,
        help="Region whose mean χ becomes zero: ventricular CSF, the whole brain, or none.",
        source="doi 10.1002/mrm.26946",
    )


def referenced(chi_ppm: Array, *, mask: Array, region: Array | None) -> tuple[Array, float]:
    """Subtract the mean over a region.

    Parameters
    ----------
    chi_ppm
        (X, Y, Z).
    mask
        (X, Y, Z) bool; outside it the result is exactly zero.
    region
        (X, Y, Z) bool, only its voxels inside the mask count; ``None`` subtracts nothing.

    Returns
    -------
    tuple
        The referenced map, and the mean in ppm that was subtracted.
    """
    xp = namespace_of(chi_ppm, mask)
    shift = mean_inside(chi_ppm, region & mask) if region is not None else 0.0
    return xp.where(mask, chi_ppm - shift, xp.zeros_like(chi_ppm)), shift
