"""What every removal of phase offsets returns, and taking it away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm.qsm.complex_fit import wrapped
from napari_msqsm.qsm.echo_wise import EchoWise

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


@dataclass(frozen=True)
class PhaseOffset:
    """What to take away from the phase.

    Parameters
    ----------
    offset_rad
        (X, Y, Z), common to all echoes; ``None`` where nothing is to be done.
    even_odd_rad
        (X, Y, Z), of the second, fourth, … echo; ``None`` where nothing is to be done.
    warnings
        Sentences for the user.
    """

    offset_rad: Array | None = None
    even_odd_rad: Array | None = None
    warnings: tuple[str, ...] = ()


class PhaseWithoutOffset(EchoWise):
    """Phase of all echoes less the offsets, within ±π, computed when an echo is read; parameters as of `without`."""

    def __init__(self, phase_rad: Array, offset_rad: Array | None, even_odd_rad: Array | None) -> None:
        super().__init__(phase_rad.shape, phase_rad)
        self._phase_rad, self._offset_rad, self._even_odd_rad = phase_rad, offset_rad, even_odd_rad

    def echo(self, number: int) -> Array:
        """One echo (X, Y, Z)."""
        phase = self._phase_rad[number, ...]
        if self._offset_rad is not None:
            phase = phase - self._offset_rad
        if self._even_odd_rad is not None and number % 2 == 1:
            phase = phase - self._even_odd_rad
        return wrapped(phase)


def without(phase_rad: Array, offset_rad: Array | None, even_odd_rad: Array | None) -> Array:
    """Phase of all echoes without the offsets, to be read echo by echo; the same array where nothing is taken away.

    Parameters
    ----------
    phase_rad
        (echo, X, Y, Z).
    offset_rad, even_odd_rad
        (X, Y, Z), of all echoes and of the second, fourth, … echo; ``None`` where nothing is to be taken away.
    """
    if offset_rad is None and even_odd_rad is None:
        return phase_rad
    return PhaseWithoutOffset(phase_rad, offset_rad, even_odd_rad)
