"""Spatial unwrapping along the path of best quality (host only).

Source: Abdul-Rahman HS et al., Appl Opt 2007;46:6623 (doi 10.1364/AO.46.006623), as implemented in scikit-image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import ndimage

from napari_msqsm.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray


class UnwrapSettings(Settings):
    """Path-following unwrapping."""

    method: Literal["path"] = "path"


def unwrap_field(field_hz: NDArray[Any], *, period_hz: float, mask: NDArray[np.bool_]) -> NDArray[Any]:
    """Add multiples of a period so that the field has no jumps inside the mask.

    Parameters
    ----------
    field_hz
        (X, Y, Z), known up to multiples of ``period_hz``.
    period_hz
        The field that turns the phase by 2π.
    mask
        (X, Y, Z) bool. Each connected part is unwrapped by itself and brought to the multiple of the period that
        puts its median closest to zero.

    Returns
    -------
    NDArray
        (X, Y, Z), zero outside the mask; differs from the input by whole periods.
    """
    from skimage.restoration import unwrap_phase

    radians = np.asarray(field_hz * (2.0 * np.pi / period_hz), dtype=np.float64)
    wrapped = np.angle(np.exp(1j * radians))
    # scikit-image ranks voxels at the image's border by chance: a masked layer around it makes the result repeatable
    padded = np.ma.array(np.pad(wrapped, 1), mask=np.pad(~mask, 1, constant_values=True))
    unwrapped = np.ma.filled(unwrap_phase(padded, rng=0), 0.0)[1:-1, 1:-1, 1:-1]
    turns = np.round((unwrapped - radians) / (2.0 * np.pi))
    parts, count = ndimage.label(mask)
    settled = radians + 2.0 * np.pi * turns
    for part in range(1, count + 1):
        where = parts == part
        turns[where] -= np.round(np.median(settled[where]) / (2.0 * np.pi))
    out = field_hz + (turns * period_hz).astype(field_hz.dtype)
    return np.where(mask, out, 0).astype(field_hz.dtype)
