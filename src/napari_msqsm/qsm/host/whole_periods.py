"""A field and whole numbers of its period (host only)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray


def with_turns(
    field_hz: NDArray[Any], turns: NDArray[Any], *, period_hz: float, mask: NDArray[np.bool_]
) -> NDArray[Any]:
    """Add whole periods, the same number more or less for a connected part, so that its median is closest to zero.

    Parameters
    ----------
    field_hz
        (X, Y, Z), finite.
    turns
        (X, Y, Z) whole numbers; what they have in common within a part has no say.
    period_hz
        One period.
    mask
        (X, Y, Z) bool.

    Returns
    -------
    NDArray
        (X, Y, Z) of the field's dtype, zero outside the mask.
    """
    settled = np.asarray(field_hz, dtype=np.float64) / period_hz + turns
    parts, count = ndimage.label(mask)
    if count:
        medians = np.asarray(ndimage.median(settled, parts, np.arange(1, count + 1)))
        turns = turns - np.concatenate(([0.0], np.round(medians)))[parts]
    out = field_hz + (turns * period_hz).astype(field_hz.dtype)
    return np.where(mask, out, 0).astype(field_hz.dtype)


def congruent(
    field_hz: NDArray[Any], smooth_hz: NDArray[Any], *, period_hz: float, mask: NDArray[np.bool_]
) -> NDArray[Any]:
    """Field plus the whole periods that bring it closest to a smooth one, which is known up to a constant per part.

    Parameters
    ----------
    field_hz
        (X, Y, Z), finite, known up to multiples of ``period_hz``.
    smooth_hz
        (X, Y, Z) without jumps; in each connected part of the mask any constant may be missing.
    period_hz
        One period.
    mask
        (X, Y, Z) bool.

    Returns
    -------
    NDArray
        (X, Y, Z), zero outside the mask; the median of each part is closest to zero.
    """
    rest = (np.asarray(smooth_hz, dtype=np.float64) - field_hz) / period_hz
    parts, count = ndimage.label(mask)
    label, turning = parts[mask], np.exp(2j * np.pi * rest[mask])
    sums = np.bincount(label, turning.real, count + 1) + 1j * np.bincount(label, turning.imag, count + 1)
    constant = np.angle(sums) / (2.0 * np.pi)
    turns = np.where(mask, np.round(rest - constant[parts]), 0.0)
    return with_turns(field_hz, turns, period_hz=period_hz, mask=mask)
