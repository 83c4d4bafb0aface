"""Numbers that tell whether a map can be trusted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.robust import count, mean_inside, median_inside, sd_inside
from napari_msqsm.units import PPB_PER_PPM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_msqsm._backend import Array


def quality_numbers(
    *,
    chi_ppm: Array,
    chi_mask: Array,
    mask: Array,
    csf_mask: Array,
    local_field_hz: Array,
    noise_sd_hz: Array,
    fit_residual: Array,
    voxel_size_mm: tuple[float, float, float],
    hz_per_ppm: float,
) -> Mapping[str, float]:
    """Quality of one reconstruction.

    Returns
    -------
    Mapping
        ``csf_mean_ppb``, ``csf_sd_ppb``, ``csf_volume_mm3``, ``brain_mean_ppb`` (subtract it to re-reference to the
        whole brain), ``mask_volume_mm3``, ``kept_fraction`` of the brain mask, ``local_field_sd_ppb``,
        ``field_noise_median_ppb`` and ``fit_residual_median`` (NaN where no phase was fitted).
    """
    xp = namespace_of(chi_ppm, mask)
    voxel_mm3 = math.prod(voxel_size_mm)
    csf = csf_mask & chi_mask
    kept = count(chi_mask)
    some_csf = bool(xp.any(csf))
    return {
        "csf_mean_ppb": PPB_PER_PPM * mean_inside(chi_ppm, csf) if some_csf else math.nan,
        "csf_sd_ppb": PPB_PER_PPM * sd_inside(chi_ppm, csf) if some_csf else math.nan,
        "csf_volume_mm3": voxel_mm3 * count(csf),
        "brain_mean_ppb": PPB_PER_PPM * mean_inside(chi_ppm, chi_mask),
        "mask_volume_mm3": voxel_mm3 * count(mask),
        "kept_fraction": kept / count(mask),
        "local_field_sd_ppb": PPB_PER_PPM * sd_inside(local_field_hz, chi_mask) / hz_per_ppm,
        "field_noise_median_ppb": PPB_PER_PPM * median_inside(noise_sd_hz, mask) / hz_per_ppm,
        "fit_residual_median": median_inside(fit_residual, mask),
    }
