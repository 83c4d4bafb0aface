"""What is left of the background field after its removal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from napari_msqsm.qsm.stencils import at_least_faces
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from napari_msqsm._backend import Array

_LEAST_NEIGHBOURS = 2


class ResidualBackgroundSettings(Settings):
    """Suppression of the residual background inside MEDI; not used where a local field is given."""

    smv_radii_mm: tuple[Annotated[float, Field(gt=0, le=50)], ...] = quantity(
        (5.0,),
        unit="mm",
        top=True,
        help="Radii of the spherical-mean-value filter that MEDI applies to field, dipole and noise; each voxel takes "
        "the largest sphere that lies in the mask. Empty is off.",
        source="doi 10.1002/mrm.24272",
    )
    neighbours_at_edge: bool = quantity(
        False, help="Where no sphere fits, use the six neighbours: all but the outermost layer then has a field."
    )
    rim: Literal["drop", "joined", "keep"] = quantity(
        "drop",
        help="Voxels of the mask that the filter leaves without a field: drop them before the inversion; carry χ on to "
        "them by the regularisation, but keep only those with at least two neighbours that have a field (joined); or "
        "keep them all.",
    )


def with_rim(measured: Array, mask: Array, rim: Literal["drop", "joined", "keep"]) -> Array:
    """Voxels that get a χ.

    Parameters
    ----------
    measured
        (X, Y, Z) bool; voxels of the mask that have a field after the filter.
    mask
        (X, Y, Z) bool.
    rim
        See `ResidualBackgroundSettings`.
    """
    if rim == "drop":
        return measured
    if rim == "keep":
        return mask
    return measured | (mask & at_least_faces(measured, _LEAST_NEIGHBOURS))
