"""What is left of the background field after its removal."""

from __future__ import annotations

from napari_msqsm.settings import Settings, quantity


class ResidualBackgroundSettings(Settings):
    """Suppression of the residual background inside the inversion; not used where a local field is given."""

    smv_radius_mm: float = quantity(
        5.0,
        ge=0,
        unit="mm",
        top=True,
        help="Radius of the spherical-mean-value filter that MEDI applies to field, dipole and noise; the mask loses a "
        "rim of this width. 0 is off.",
        source="doi 10.1002/mrm.24272",
    )
