"""Quality numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm.qsm.quality import quality_numbers

if TYPE_CHECKING:
    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.qsm.step import Progress, Values


def quality_step(values: Values, _: ReconstructionSettings, __: Progress) -> Values:
    """Compute the quality numbers."""
    names = (
        "chi_ppm",
        "chi_mask",
        "mask",
        "csf_mask",
        "local_field_hz",
        "noise_sd_hz",
        "fit_residual",
        "voxel_size_mm",
        "hz_per_ppm",
    )
    quality = dict(quality_numbers(**{name: values[name] for name in names}))
    if not values["noise_sd_is_given"] and (not values["phase_rad_is_given"] or len(values["echo_times_s"]) < 3):
        quality["field_noise_median_ppb"] = math.nan  # no more than its pattern is known
    return {"quality": quality}
