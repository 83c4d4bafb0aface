"""Spatial unwrapping along the path of best quality (host only).

Source: Abdul-Rahman HS et al., Appl Opt 2007;46:6623 (doi 10.1364/AO.46.006623), as implemented in scikit-image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.qsm.host.whole_periods import with_turns

if TYPE_CHECKING:
    from numpy.typing import NDArray


def unwrap_field(field_hz: NDArray[Any], *, period_hz: float, mask: NDArray[np.bool_]) -> NDArray[Any]:
    """Add multiples of a period so that the field has no jumps inside the mask.

    Parameters
    ----------
    field_hz
        (X, Y, Z), known up to multiples of ``period_hz``; where it is not finite is outside the mask.
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

    mask = mask & np.isfinite(field_hz)
    field_hz = np.where(mask, field_hz, 0).astype(field_hz.dtype)
    radians = np.asarray(field_hz * (2.0 * np.pi / period_hz), dtype=np.float64)
    wrapped = np.angle(np.exp(1j * radians))
    # scikit-image ranks voxels at the image's border by chance: a masked layer around it makes the result repeatable
    padded = np.ma.array(np.pad(wrapped, 1), mask=np.pad(~mask, 1, constant_values=True))
    unwrapped = np.ma.filled(unwrap_phase(padded, rng=0), 0.0)[1:-1, 1:-1, 1:-1]
    turns = np.round((unwrapped - radians) / (2.0 * np.pi))
    return with_turns(field_hz, turns, period_hz=period_hz, mask=mask)
