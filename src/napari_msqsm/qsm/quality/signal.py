"""Signal against noise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.echoes import field_noise_from_magnitude, root_sum_of_squares
from napari_msqsm.qsm.robust import any_of, median_inside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_msqsm._backend import Array


def signal_to_noise(
    magnitude: Array, *, signal_noise_sd_hz: Array, echo_times_s: Sequence[float], mask: Array
) -> Mapping[str, float]:
    """Compute the signal-to-noise ratio of the first echo and of the echoes combined.

    Parameters
    ----------
    magnitude
        (echo, X, Y, Z).
    signal_noise_sd_hz
        (X, Y, Z) standard deviation of the field as the signal gives it (before any weighing): divided by that of unit
        noise it is the noise of one channel.
    echo_times_s
        One per echo.
    mask
        (X, Y, Z) bool.

    Returns
    -------
    Mapping
        ``snr_first_echo`` and ``snr_combined`` (root sum of squares): medians in the mask of magnitude / noise of one
        channel; NaN where no voxel has a noise.
    """
    xp = namespace_of(magnitude, mask)
    unit = field_noise_from_magnitude(magnitude, echo_times_s=echo_times_s, mask=mask)
    known = mask & (unit > 0) & (signal_noise_sd_hz > 0)
    if not any_of(known):
        return {"snr_first_echo": math.nan, "snr_combined": math.nan}
    noise = median_inside(signal_noise_sd_hz / xp.where(known, unit, xp.ones_like(unit)), known)
    return {
        "snr_first_echo": median_inside(magnitude[0, ...], mask) / noise,
        "snr_combined": median_inside(root_sum_of_squares(magnitude), mask) / noise,
    }
