"""The steps from echoes to susceptibility, in order."""

from __future__ import annotations

from napari_msqsm.qsm.step import Step
from napari_msqsm.qsm.steps.background import background_step
from napari_msqsm.qsm.steps.field import field_fit_step, reliability_step, unwrapping_step
from napari_msqsm.qsm.steps.inversion import inversion_step, reference_step
from napari_msqsm.qsm.steps.masks import brain_mask_step, csf_mask_step
from napari_msqsm.qsm.steps.quality import NEEDS, quality_step
from napari_msqsm.qsm.steps.relaxation import combine_step, r2star_step

STEPS: tuple[Step, ...] = (
    Step("combine", "Combining echoes", 1, ("magnitude",), ("combined_magnitude",), (), combine_step, 1),
    Step(
        "brain_mask",
        "Brain mask",
        1,
        ("combined_magnitude", "voxel_size_mm"),
        ("mask",),
        ("brain_mask",),
        brain_mask_step,
        4,
    ),
    Step(
        "field_fit",
        "Field fit",
        2,
        ("magnitude", "phase_rad", "echo_times_s", "mask"),
        ("signal_noise_sd_hz", "fit_residual", "wrapped_field_hz", "period_hz", "field_fit_warnings"),
        ("field_fit",),
        field_fit_step,
        10,
    ),
    Step(
        "reliability",
        "Reliability of the field",
        1,
        ("signal_noise_sd_hz", "fit_residual", "phase_rad_is_given", "mask"),
        ("noise_sd_hz",),
        ("reliability",),
        reliability_step,
        1,
    ),
    Step(
        "unwrapping",
        "Unwrapping",
        3,
        (
            "wrapped_field_hz",
            "period_hz",
            "mask",
            "magnitude",
            "combined_magnitude",
            "signal_noise_sd_hz",
            "fit_residual",
            "phase_rad",
            "echo_times_s",
        ),
        ("total_field_hz",),
        ("unwrapping", "field_fit"),
        unwrapping_step,
        5,
    ),
    Step(
        "r2star",
        "R2* map",
        3,
        ("magnitude", "echo_times_s", "mask", "total_field_hz"),
        ("r2star_hz",),
        ("r2star",),
        r2star_step,
        1,
    ),
    Step(
        "background",
        "Background field",
        3,
        ("total_field_hz", "noise_sd_hz", "mask", "voxel_size_mm", "b0_direction", "hz_per_ppm", "combined_magnitude"),
        ("local_field_hz", "local_mask", "background_converged", "background_warnings"),
        ("background",),
        background_step,
        30,
    ),
    Step(
        "csf_mask",
        "CSF mask",
        2,
        ("r2star_hz", "magnitude", "echo_times_s", "mask", "voxel_size_mm"),
        ("csf_mask", "csf_mask_warnings"),
        ("csf_mask",),
        csf_mask_step,
        2,
    ),
    Step(
        "inversion",
        "Dipole inversion",
        2,
        (
            "local_field_hz",
            "local_mask",
            "mask",
            "combined_magnitude",
            "noise_sd_hz",
            "csf_mask",
            "echo_times_s",
            "voxel_size_mm",
            "b0_direction",
            "hz_per_ppm",
            "local_field_is_given",
        ),
        ("unreferenced_chi_ppm", "chi_mask", "converged", "inversion_record", "inversion_warnings"),
        ("inversion", "residual_background"),
        inversion_step,
        45,
    ),
    Step(
        "reference",
        "Reference",
        1,
        ("unreferenced_chi_ppm", "chi_mask", "csf_mask"),
        ("chi_ppm", "reference_shift_ppm", "reference_warnings"),
        ("reference",),
        reference_step,
        1,
    ),
    Step(
        "quality",
        "Quality",
        3,
        (*NEEDS, "phase_rad_is_given", "noise_sd_is_given"),
        ("quality",),
        (),
        quality_step,
        1,
    ),
)
"""In order: what a step needs is given or made by an earlier one."""
