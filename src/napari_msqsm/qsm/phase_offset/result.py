"""What every removal of phase offsets returns, and taking it away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.complex_fit import wrapped

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


def without(phase_rad: Array, offset_rad: Array | None, even_odd_rad: Array | None) -> Array:
    """Phase of all echoes without the offsets, within ±π; the same array where there is nothing to take away."""
    if offset_rad is None and even_odd_rad is None:
        return phase_rad
    xp = namespace_of(phase_rad)
    echoes = []
    for echo in range(phase_rad.shape[0]):
        phase = phase_rad[echo, ...]
        if offset_rad is not None:
            phase = phase - offset_rad
        if even_odd_rad is not None and echo % 2 == 1:
            phase = phase - even_odd_rad
        echoes.append(wrapped(phase))
    return xp.stack(echoes)
