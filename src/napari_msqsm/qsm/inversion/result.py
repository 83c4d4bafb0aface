"""What every inversion returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


@dataclass(frozen=True)
class Inversion:
    """Susceptibility and how it was found.

    Parameters
    ----------
    chi_ppm
        (X, Y, Z), zero outside ``mask``.
    mask
        (X, Y, Z) bool; voxels that have a value.
    converged
        Whether the last step was small enough; always for a closed form.
    outer_changes
        Relative change of χ in each step.
    cg_iterations
        Linear iterations in each step.
    objective
        Value of the objective before each step and after the last (with that step's weights).
    cg_converged
        Whether the linear system of the last step reached its tolerance.
    warnings
        What else the user should know.
    local_field_hz
        (X, Y, Z) field of the sources inside, from an inversion that separates the background itself.
    """

    chi_ppm: Array
    mask: Array
    converged: bool = True
    outer_changes: tuple[float, ...] = ()
    cg_iterations: tuple[int, ...] = ()
    objective: tuple[float, ...] = ()
    cg_converged: bool = True
    warnings: tuple[str, ...] = ()
    local_field_hz: Array | None = None
