"""Path-following unwrapping; the work is done on the host (see `host/unwrap_path.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import like, to_numpy
from napari_msqsm.qsm.host.unwrap_path import unwrap_field
from napari_msqsm.qsm.unwrapping.result import Unwrapped
from napari_msqsm.settings import Settings

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


class PathSettings(Settings):
    """Path-following unwrapping."""

    method: Literal["path"] = "path"


def path(wrapped_field_hz: Array, *, period_hz: float, mask: Array) -> Unwrapped:
    """Unwrap from voxel to voxel, where second differences are smallest first.

    Parameters
    ----------
    wrapped_field_hz
        (X, Y, Z), known up to multiples of ``period_hz``; where it is not finite is outside the mask.
    period_hz
        The field that turns the phase by 2π.
    mask
        (X, Y, Z) bool.

    Returns
    -------
    Unwrapped
        The field, zero outside the mask.
    """
    found = unwrap_field(to_numpy(wrapped_field_hz), period_hz=period_hz, mask=to_numpy(mask))
    return Unwrapped(like(found, wrapped_field_hz))
