"""Combining echoes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm._backend import Array


def root_sum_of_squares(magnitude: Array) -> Array:
    """Magnitude combined over echoes, (echo, X, Y, Z) → (X, Y, Z); echo by echo, so that no large copy is made."""
    xp = namespace_of(magnitude)
    total = xp.zeros_like(magnitude[0, ...])
    for echo in range(magnitude.shape[0]):
        total += magnitude[echo, ...] * magnitude[echo, ...]
    return xp.sqrt(total)


def field_noise_from_magnitude(magnitude: Array, *, echo_times_s: Sequence[float], mask: Array) -> Array:
    """Relative standard deviation of the field where no phase is at hand: the Cramér–Rao bound at unit noise.

    (echo, X, Y, Z) → (X, Y, Z) in Hz times the noise of one channel; zero outside the mask or without signal.
    """
    xp = namespace_of(magnitude)
    w, wt, wtt = (xp.zeros_like(magnitude[0, ...]) for _ in range(3))
    for echo, time in enumerate(echo_times_s):
        weight = magnitude[echo, ...] * magnitude[echo, ...]
        w += weight
        wt += weight * time
        wtt += weight * (time * time)
    has_signal = mask & (w > 0)
    spread = wtt - wt * wt / xp.where(has_signal, w, xp.ones_like(w)) if len(echo_times_s) > 1 else wtt
    known = has_signal & (spread > 1e-7 * wtt)
    return xp.where(known, 1.0 / (2.0 * math.pi * xp.sqrt(xp.where(known, spread, xp.ones_like(w)))), xp.zeros_like(w))
