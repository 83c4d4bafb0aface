"""No background removal: the inversion gets the total field and separates it itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_msqsm.qsm.background.result import LocalField
from napari_msqsm.settings import Settings

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


class NoBackgroundSettings(Settings):
    """The total field is handed on; for the inversion `tfi`."""

    method: Literal["none"] = "none"


def no_removal(total_field_hz: Array, *, mask: Array) -> LocalField:
    """Hand the total field on as it is.

    Parameters
    ----------
    total_field_hz
        (X, Y, Z) unwrapped field.
    mask
        (X, Y, Z) bool; all of it is kept.
    """
    return LocalField(total_field_hz, mask, converged=True, iterations=0)
