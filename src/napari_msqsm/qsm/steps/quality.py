"""Quality numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm._backend import like, to_numpy
from napari_msqsm.qsm.host.distance import depth_mm
from napari_msqsm.qsm.quality.numbers import quality_numbers

if TYPE_CHECKING:
    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.qsm.step import Progress, Values

NEEDS = (
    "chi_ppm",
    "chi_mask",
    "mask",
    "csf_mask",
    "magnitude",
    "echo_times_s",
    "total_field_hz",
    "period_hz",
    "local_field_hz",
    "local_mask",
    "signal_noise_sd_hz",
    "noise_sd_hz",
    "fit_residual",
    "voxel_size_mm",
    "b0_direction",
    "hz_per_ppm",
)
"""Values that the numbers are made from."""

_LEAST_ECHOES = 3


def quality_step(values: Values, _: ReconstructionSettings, __: Progress) -> Values:
    """Compute the quality numbers."""
    depth = like(depth_mm(to_numpy(values["local_mask"]), values["voxel_size_mm"]), values["mask"])
    quality = dict(quality_numbers(**{name: values[name] for name in NEEDS}, local_depth_mm=depth))
    if not values["phase_rad_is_given"] or len(values["echo_times_s"]) < _LEAST_ECHOES:  # noise known up to its scale
        unknown = ["snr_first_echo", "snr_combined"]
        unknown += [] if values["noise_sd_is_given"] else ["field_noise_median_ppb"]
        quality |= dict.fromkeys(unknown, math.nan)
    return {"quality": quality}
