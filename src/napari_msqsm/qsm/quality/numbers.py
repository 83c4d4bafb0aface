"""All numbers of a reconstruction, and what they mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm.qsm.quality.chi_noise import chi_noise_ppb
from napari_msqsm.qsm.quality.field_wraps import wraps_left_fraction
from napari_msqsm.qsm.quality.residual_background import edge_energy_ratio, harmonic_fraction
from napari_msqsm.qsm.quality.signal import signal_to_noise
from napari_msqsm.qsm.quality.streaks import streak_index
from napari_msqsm.qsm.robust import any_of, count, mean_inside, median_inside, sd_inside
from napari_msqsm.units import PPB_PER_PPM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_msqsm._backend import Array

MEANING: Mapping[str, str] = {
    "csf_mean_ppb": "mean χ in ventricular CSF",
    "csf_sd_ppb": "standard deviation of χ in ventricular CSF",
    "csf_volume_mm3": "volume of the CSF mask",
    "brain_mean_ppb": "mean χ of the brain; subtract it to re-reference to the whole brain",
    "mask_volume_mm3": "volume of the brain mask",
    "kept_fraction": "part of the brain mask that has a χ",
    "local_field_sd_ppb": "standard deviation of the local field",
    "field_noise_median_ppb": "typical noise of the field",
    "fit_residual_median": "typical misfit of the field fit relative to the signal",
    "snr_first_echo": "magnitude of the first echo / noise of one channel, median",
    "snr_combined": "root sum of squares of the echoes / noise of one channel, median",
    "wraps_left_fraction": "part of the neighbouring voxels between which the field jumps by more than half a period",
    "edge_energy_ratio": "local field's mean square in the outer 5 mm relative to deeper than 10 mm; above 1, some "
    "background is left",
    "harmonic_fraction": "part of the local field's energy that harmonics up to degree 3 explain",
    "streak_index": "power of χ on the dipole's zero cone relative to beside it; about 1 for tissue, more with "
    "streaks of amplified noise, less where the cone was left empty",
    "chi_noise_ppb": "voxel-to-voxel noise of χ",
    "reference_shift_ppb": "what referencing subtracted from χ",
}
"""One line for every number."""


def quality_numbers(
    *,
    chi_ppm: Array,
    chi_mask: Array,
    mask: Array,
    csf_mask: Array,
    magnitude: Array,
    echo_times_s: Sequence[float],
    total_field_hz: Array | None,
    period_hz: float,
    local_field_hz: Array,
    local_mask: Array,
    local_depth_mm: Array,
    signal_noise_sd_hz: Array,
    noise_sd_hz: Array,
    fit_residual: Array,
    voxel_size_mm: tuple[float, float, float],
    b0_direction: tuple[float, float, float],
    hz_per_ppm: float,
) -> Mapping[str, float]:
    """Quality of one reconstruction.

    Parameters
    ----------
    chi_ppm, chi_mask
        (X, Y, Z) map and the voxels that have a χ.
    mask, csf_mask
        (X, Y, Z) bool.
    magnitude, echo_times_s
        (echo, X, Y, Z), and one time per echo.
    total_field_hz, period_hz
        (X, Y, Z) unwrapped field or None, and the field that turns the phase between echoes by 2π, NaN where unknown.
    local_field_hz, local_mask, local_depth_mm
        (X, Y, Z), where it is known, and the distance to the nearest voxel where it is not.
    signal_noise_sd_hz, noise_sd_hz, fit_residual
        (X, Y, Z) noise of the field as the signal gives it and as it was weighed, and the misfit.
    voxel_size_mm, b0_direction, hz_per_ppm
        Grid and field strength.

    Returns
    -------
    Mapping
        Every name of `MEANING` but ``reference_shift_ppb``; NaN where something cannot be told, as without CSF, or
        without phase.
    """
    voxel_mm3 = math.prod(voxel_size_mm)
    csf = csf_mask & chi_mask
    some_csf = any_of(csf)
    return {
        "csf_mean_ppb": PPB_PER_PPM * mean_inside(chi_ppm, csf) if some_csf else math.nan,
        "csf_sd_ppb": PPB_PER_PPM * sd_inside(chi_ppm, csf) if some_csf else math.nan,
        "csf_volume_mm3": voxel_mm3 * count(csf),
        "brain_mean_ppb": PPB_PER_PPM * mean_inside(chi_ppm, chi_mask),
        "mask_volume_mm3": voxel_mm3 * count(mask),
        "kept_fraction": count(chi_mask) / count(mask),
        "local_field_sd_ppb": PPB_PER_PPM * sd_inside(local_field_hz, chi_mask) / hz_per_ppm,
        "field_noise_median_ppb": PPB_PER_PPM * median_inside(noise_sd_hz, mask) / hz_per_ppm,
        "fit_residual_median": median_inside(fit_residual, mask),
        **signal_to_noise(magnitude, signal_noise_sd_hz=signal_noise_sd_hz, echo_times_s=echo_times_s, mask=mask),
        "wraps_left_fraction": math.nan
        if total_field_hz is None
        else wraps_left_fraction(total_field_hz, period_hz=period_hz, mask=mask),
        "edge_energy_ratio": edge_energy_ratio(local_field_hz, mask=local_mask, depth_mm=local_depth_mm),
        "harmonic_fraction": harmonic_fraction(local_field_hz, mask=local_mask, voxel_size_mm=voxel_size_mm),
        "streak_index": streak_index(chi_ppm, mask=chi_mask, voxel_size_mm=voxel_size_mm, b0_direction=b0_direction),
        "chi_noise_ppb": chi_noise_ppb(chi_ppm, mask=chi_mask),
    }
