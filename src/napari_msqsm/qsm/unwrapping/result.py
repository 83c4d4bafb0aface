"""What every unwrapping returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


@dataclass(frozen=True)
class Unwrapped:
    """A field without jumps.

    Parameters
    ----------
    field_hz
        (X, Y, Z), zero outside the mask; differs from what was given by whole periods.
    warnings
        Sentences for the user.
    """

    field_hz: Array
    warnings: tuple[str, ...] = ()
