"""What every R2* method does with its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


def within_range(rate: Array, mask: Array, max_r2star_hz: float) -> Array:
    """Rate between 0 and the largest allowed, zero outside the mask."""
    xp = namespace_of(rate, mask)
    return xp.where(mask, xp.clip(rate, 0.0, max_r2star_hz), xp.zeros_like(rate))
