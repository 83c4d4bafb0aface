"""What every background removal returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


@dataclass(frozen=True)
class LocalField:
    """Field of the sources inside the mask.

    Parameters
    ----------
    field_hz
        (X, Y, Z), zero outside ``mask``.
    mask
        (X, Y, Z) bool; voxels that still have a value, at most those of the mask that went in.
    converged
        Whether the iteration reached its tolerance.
    iterations
        How many it took.
    """

    field_hz: Array
    mask: Array
    converged: bool
    iterations: int
