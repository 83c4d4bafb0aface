"""Unequally spaced echoes: the fit once more, from the unwrapped field.

With equal spacing a field and the same plus a period fit the echoes alike, so that unwrapping after the fit loses
nothing. With unequal spacing only the true multiple fits all echoes: each connected part of the mask is brought to the
multiple that fits best, and the fit is repeated from there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm._backend import like, namespace_of, to_numpy
from napari_msqsm.qsm.field_fit import FieldFitSettings, scatter
from napari_msqsm.qsm.host.components import best_of_parts
from napari_msqsm.qsm.outlier_echoes import refine_near

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_msqsm._backend import Array

_MOST_PERIODS = 4
_RELUCTANCE = 1e-4
"""Part by which a shift must fit better for each of its periods: spacings that are multiples tell no shifts apart."""


def refit_unwrapped(
    unwrapped_field_hz: Array,
    magnitude: Array,
    phase_rad: Array,
    *,
    echo_times_s: Sequence[float],
    period_hz: float,
    mask: Array,
    settings: FieldFitSettings | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Array:
    """Field that fits all echoes, near an unwrapped one plus a number of periods for each connected part.

    Parameters
    ----------
    unwrapped_field_hz
        (X, Y, Z), without jumps inside a connected part of the mask, known there up to one multiple of the period.
    magnitude, phase_rad
        (echo, X, Y, Z).
    echo_times_s
        One per echo.
    period_hz
        Field that turns the phase between the closest echoes by 2π.
    mask
        (X, Y, Z) bool.
    settings
        Those of the field fit.
    on_progress
        Called with the fraction done; may raise to stop.

    Returns
    -------
    Array
        (X, Y, Z) in Hz, zero outside the mask.
    """
    xp = namespace_of(unwrapped_field_hz, magnitude, phase_rad, mask)
    amplitude = xp.stack([magnitude[echo, ...][mask] for echo in range(magnitude.shape[0])])
    phase = xp.stack([phase_rad[echo, ...][mask] for echo in range(phase_rad.shape[0])])
    field = unwrapped_field_hz[mask]
    times = list(echo_times_s)
    shifts = sorted(range(-_MOST_PERIODS, _MOST_PERIODS + 1), key=abs)
    scores = [
        (1.0 - _RELUCTANCE * abs(shift)) * _agreement(amplitude, phase, times, field + shift * period_hz)
        for shift in shifts
    ]
    best = best_of_parts([to_numpy(score) for score in scores], to_numpy(mask))
    turns = like([shifts[index] for index in best], field, dtype=field.dtype)
    start = field + turns * period_hz
    field = refine_near(amplitude, phase, times, start, settings or FieldFitSettings(), on_progress)
    return scatter(field, mask)


def _agreement(amplitude: Array, phase: Array, times: list[float], field: Array) -> Array:
    """Length of the sum of all echoes after the field's phase is taken away; greatest where they line up."""
    xp = namespace_of(amplitude)
    real, imaginary = xp.zeros_like(field), xp.zeros_like(field)
    for echo, time in enumerate(times):
        rest = phase[echo, ...] - (2.0 * math.pi * time) * field
        real += amplitude[echo, ...] * xp.cos(rest)
        imaginary += amplitude[echo, ...] * xp.sin(rest)
    return xp.sqrt(real * real + imaginary * imaginary)
