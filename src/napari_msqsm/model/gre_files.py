"""Gradient-echo files that lie outside a BIDS dataset, and what the user says about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class GreFiles:
    """One file per echo in any order, or one 4-D stack, per part; what is None is read from header and sidecars.

    Parameters
    ----------
    magnitude, phase, real, imaginary
        Files of each part.
    echo_times_s
        Echo times in seconds.
    b0_tesla, imaging_frequency_hz
        Field strength and scanner frequency.
    b0_direction
        Direction of B0 in voxel axes.
    phase_sign
        1 when the stored phase grows with echo time where the field is higher, -1 for the opposite.
    phase_range
        Stored values that mean −π and +π.
    """

    magnitude: tuple[Path, ...] = ()
    phase: tuple[Path, ...] = ()
    real: tuple[Path, ...] = ()
    imaginary: tuple[Path, ...] = ()
    echo_times_s: tuple[float, ...] | None = None
    b0_tesla: float | None = None
    imaging_frequency_hz: float | None = None
    b0_direction: tuple[float, float, float] | None = None
    phase_sign: Literal[1, -1] | None = None
    phase_range: tuple[float, float] | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file."""
        return self.magnitude + self.phase + self.real + self.imaginary
