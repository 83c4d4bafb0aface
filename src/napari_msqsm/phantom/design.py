"""What a synthetic study is made of."""

from __future__ import annotations

from pydantic import field_validator

from napari_msqsm.settings import Settings, quantity


class StudyDesign(Settings):
    """Patients, sessions, grids and noise of a synthetic study."""

    n_patients: int = quantity(1, ge=1, help="Number of patients.")
    n_sessions: int = quantity(3, ge=1, help="Sessions of each patient.")
    interval_y: float = quantity(1.1, gt=0, unit="years", help="Time between sessions.")
    n_lesions: int = quantity(6, ge=0, le=40, help="Lesions of each patient.")
    lesion_radius_mm: tuple[float, float] | None = quantity(
        None,
        unit="mm",
        help="Radius of lesions lies in this range; not given: 4.2 … 6.5 with a rim, 3 … 5 without.",
    )
    rim_ppb: tuple[float, float] = quantity(
        (18.0, 25.0), unit="ppb", help="χ of rims above that of the core, at full height, lies in this range."
    )
    voxel_size_mm: tuple[float, float, float] = quantity(
        (1.0, 1.0, 3.0), unit="mm", help="Voxel of the gradient-echo series; x, y and z."
    )
    flair_voxel_size_mm: tuple[float, float, float] = quantity(
        (1.0, 1.0, 3.0), unit="mm", help="Voxel of FLAIR, T1 and T2."
    )
    field_of_view_mm: tuple[float, float, float] = quantity(
        (168.0, 208.0, 132.0), unit="mm", help="Extent of every image."
    )
    centre_mm: tuple[float, float, float] = quantity(
        (0.0, -4.0, 6.0), unit="mm", help="Middle of every image in scanner coordinates."
    )
    n_echoes: int = quantity(8, ge=1, le=32, help="Echoes of the gradient-echo series.")
    noise: float = quantity(
        0.01, ge=0, help="Standard deviation of the complex noise, as a part of the brain's signal at the first echo."
    )
    structural_noise: float | None = quantity(
        None,
        ge=0,
        help="Standard deviation of the noise of FLAIR, T1 and T2, as a part of the brightest tissue; not given: that "
        "of the gradient echo.",
    )
    tilt_deg: float = quantity(0.0, ge=-45, le=45, unit="°", help="Tilt of the slices about the left–right axis.")
    motion_deg: float = quantity(4.0, ge=0, unit="°", help="Largest turn of the head between sessions.")
    motion_mm: float = quantity(4.0, ge=0, unit="mm", help="Largest shift of the head between sessions.")
    heterogeneity_ppb: float = quantity(5.0, ge=0, unit="ppb", help="Standard deviation of χ within a tissue.")
    blank_air: bool = quantity(False, help="Whether the scanners set images to zero outside the head.")
    magnitude_levels: int = quantity(
        2000, ge=100, le=60000, help="Stored value of the brightest voxel; fewer make smaller files."
    )
    true_fields: bool = quantity(True, help="Whether the true fields and R2* are written beside the true χ.")
    subvoxel_mm: float = quantity(
        1.5, gt=0, unit="mm", help="A voxel is made of parts no larger than this (partial volume, dephasing)."
    )
    rescan: bool = quantity(
        False,
        help="Whether every gradient echo is repeated on the same day, with new noise and another pose of the head.",
    )
    seed: int = quantity(0, ge=0, help="Seed of all random draws.")

    @field_validator("lesion_radius_mm", "rim_ppb")
    @classmethod
    def _in_order(cls, ends: tuple[float, float] | None) -> tuple[float, float] | None:
        if ends is not None and not 0 < ends[0] <= ends[1]:
            raise ValueError("needs two positive numbers, the smaller one first")
        return ends
