"""Settings of the registration of two images."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from napari_msqsm.settings import Settings, quantity

Model = Literal["rigid", "scale9", "affine"]
"""6 parameters; 9: also a stretch along each image axis; 12: also shear."""


class RegistrationSettings(Settings):
    """Alignment of two images of one head by normalised mutual information, from coarse to fine."""

    model: Model = quantity(
        "rigid",
        top=True,
        help="rigid (6 parameters), scale9 (also one stretch per axis: another scanner's gradients) or affine (12).",
    )
    preview: bool = quantity(False, top=True, help="Stop one level before the finest: two thirds of the time.")
    level_mm: tuple[float, ...] = quantity((8.0, 4.0, 2.0, 1.0), unit="mm", help="Voxel edge at each level.")
    n_points: tuple[int, ...] = quantity(
        (8_000, 20_000, 120_000, 240_000), help="Points at which the images are compared, per level."
    )
    n_bins: tuple[int, ...] = quantity((32, 40, 48, 48), help="Grey levels of the joint histogram, per level.")
    tolerance_mm: tuple[float, ...] = quantity(
        (0.5, 0.1, 0.01, 0.003), unit="mm", help="A level has settled when a step moves the head by less than this."
    )
    max_iter: int = quantity(60, ge=1, help="Most iterations per level.")
    shading_from_mm: float = quantity(
        2.0,
        ge=0,
        unit="mm",
        help="At this level and finer ones coil shading is always removed; coarser ones look with and without it.",
    )
    shading_mm: float = quantity(14.0, gt=0, unit="mm", help="Width of the shading that is removed.")
    edge_share: float = quantity(
        0.5, ge=0, le=1, help="Part of the points that is drawn where the image changes; the rest is spread evenly."
    )
    block_mm: float = quantity(
        12.0, gt=0, unit="mm", help="Edge of the blocks whose correlation decides about stretch and shear."
    )
    interior_depth_mm: float = quantity(
        17.0, ge=0, unit="mm", help="How far below the skin the blocks begin: scalp, skull and fluid are left out."
    )
    least_correlation: float = quantity(
        0.5,
        ge=0,
        le=1,
        help="Below this mean squared correlation of the blocks (another contrast) mutual information decides instead.",
    )
    most_stretch: float = quantity(
        0.1,
        gt=0,
        lt=1,
        help="A larger stretch or shrinkage is none of a scanner's: the answer counts as not converged.",
    )
    capture_deg: float = quantity(
        30.0, ge=0, le=60, unit="°", help="Largest turn about each axis among the starting positions."
    )
    capture_mm: float = quantity(20.0, ge=0, unit="mm", help="Largest shift among the starting positions.")
    least_overlap: float = quantity(
        0.25, gt=0, lt=1, help="Part of the fixed head that must lie inside the moving image."
    )

    @property
    def levels_mm(self) -> tuple[float, ...]:
        """Voxel edges of the levels that are used."""
        return self.level_mm[:-1] if self.preview and len(self.level_mm) > 1 else self.level_mm

    @model_validator(mode="after")
    def _levels_agree(self) -> RegistrationSettings:
        counts = {len(self.level_mm), len(self.n_points), len(self.n_bins), len(self.tolerance_mm)}
        if len(counts) != 1 or 0 in counts:
            raise ValueError("level_mm, n_points, n_bins and tolerance_mm need one number per level, at least one")
        if any(coarse <= fine for coarse, fine in zip(self.level_mm, self.level_mm[1:], strict=False)):
            raise ValueError("level_mm must go from coarse to fine")
        if min(self.level_mm) <= 0 or min(self.n_points) < 100 or min(self.n_bins) < 8 or min(self.tolerance_mm) <= 0:
            raise ValueError("levels need a positive edge and tolerance, at least 100 points and 8 bins")
        return self
