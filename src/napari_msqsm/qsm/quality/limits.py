"""Which quality numbers deserve a look: rules of thumb, wide enough that a good scan of a head passes all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Usual:
    """Range of a number, and what a value outside it suggests.

    Parameters
    ----------
    low, high
        The usual range; a bound that is infinite does not exist.
    otherwise
        What to look at, as the end of a sentence.
    """

    low: float = -math.inf
    high: float = math.inf
    otherwise: str = ""


USUAL: Mapping[str, Usual] = {
    "snr_first_echo": Usual(low=10.0, otherwise="a noisy scan, or a mask that holds air"),
    "fit_residual_median": Usual(high=0.1, otherwise="the phase is not consistent over echoes"),
    "field_noise_median_ppb": Usual(high=10.0, otherwise="the field is as noisy as the contrast of tissue"),
    "wraps_left_fraction": Usual(high=1e-3, otherwise="try another unwrapping, look at the total field"),
    "mask_volume_mm3": Usual(3e5, 2e6, "a thin slab, or a mask that is not the brain; look at it"),
    "kept_fraction": Usual(low=0.7, otherwise="much of the brain has no susceptibility"),
    "local_field_sd_ppb": Usual(high=50.0, otherwise="background is left in the local field"),
    "edge_energy_ratio": Usual(high=1.5, otherwise="background is left at the edge of the local field"),
    "harmonic_fraction": Usual(high=0.3, otherwise="background is left in the local field"),
    "csf_volume_mm3": Usual(low=1e3, otherwise="little fluid to refer to; look at the CSF mask"),
    "csf_sd_ppb": Usual(high=20.0, otherwise="the CSF mask holds more than fluid, or the map has artefacts"),
    "streak_index": Usual(high=1.5, otherwise="streaks; regularise more"),
    "chi_noise_ppb": Usual(high=15.0, otherwise="noise hides lesions; regularise more"),
}
"""By the names of `napari_msqsm.qsm.quality.numbers.MEANING`.

On good simulated heads SNR is 60 to 130, the misfit below 0.02, the noise of the field about 1 ppb, the edge's energy
0.6 to 1.1, the harmonic fraction up to 0.15, CSF within 2 ppb (17 in a preview) and the streak index 0.4 to 1.3.
"""


def suspicions(quality: Mapping[str, float | None]) -> dict[str, str]:
    """Say what each unusual number suggests; what is not known is not unusual.

    Parameters
    ----------
    quality
        Numbers by name, as computed or as recorded (None where not known).

    Returns
    -------
    dict
        ``{name: sentence end}``, in the order of ``quality``.
    """
    found = {}
    for name, value in quality.items():
        usual = USUAL.get(name)
        if usual is None or value is None or math.isnan(value):
            continue
        if not usual.low <= value <= usual.high:
            found[name] = usual.otherwise
    return found
