"""What is left of the background field after its removal."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from napari_msqsm.settings import Settings, quantity


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
    keep_rim: bool = quantity(
        False,
        help="Keep the voxels of the mask that the filter leaves without a field; their χ is carried on from their "
        "neighbours by the regularisation. Otherwise they are given up.",
    )
