"""Two scanners, as in the paper: their echo trains, and how they store phase."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Scanner:
    """A scanner and its gradient-echo protocol.

    Parameters
    ----------
    manufacturer, model
        As in the JSON sidecar.
    b0_tesla, imaging_frequency_hz
        Field strength and proton frequency.
    first_echo_s, echo_spacing_s
        The echo train.
    repetition_time_s, flip_angle_deg
        Contrast.
    phase_sign
        +1 where stored phase grows with echo time in a stronger field.
    """

    manufacturer: str
    model: str
    b0_tesla: float
    imaging_frequency_hz: float
    first_echo_s: float
    echo_spacing_s: float
    repetition_time_s: float
    flip_angle_deg: float
    phase_sign: int

    def echo_times_s(self, n_echoes: int) -> tuple[float, ...]:
        """Echo times of a train."""
        return tuple(round(self.first_echo_s + echo * self.echo_spacing_s, 6) for echo in range(n_echoes))

    def stored_phase(self, phase_rad: NDArray[Any]) -> NDArray[Any]:
        """Integers as this vendor writes them, from phase that grows in a stronger field."""
        wrapped = np.angle(np.exp(1j * self.phase_sign * phase_rad))
        if self.manufacturer == "Siemens":  # 12 bits from −π
            return (np.floor((wrapped + math.pi) * (4096.0 / (2.0 * math.pi))) % 4096).astype(np.uint16)
        return np.round(wrapped * 1000.0).astype(np.int16)  # GE: milliradians


GE = Scanner("GE", "Signa HDxt", 3.0, 127.74e6, 0.0045, 0.0048, 0.0575, 15.0, -1)
SIEMENS = Scanner("Siemens", "Skyra", 3.0, 123.24e6, 0.0067, 0.0041, 0.049, 15.0, 1)
SCANNERS: tuple[Scanner, ...] = (SIEMENS, GE)
"""Sessions alternate between them."""
