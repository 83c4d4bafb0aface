"""Fitting offset and field to the phase of all echoes, voxel by voxel; arrays are (echo, voxel) and (voxel,)."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.echo_spacing import equally_spaced, mean_spacing_s, smallest_spacing_s

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.field_fit import FieldFitSettings

_PAIR_TOLERANCE = 0.02
_WIDEST_FIELD_HZ = 1000.0
"""Fields up to this are told apart by unequal echoes."""
_TWO_PI = 2.0 * math.pi


def wrapped(phase_rad: Array) -> Array:
    """Phase within ±π."""
    xp = namespace_of(phase_rad)
    return phase_rad - _TWO_PI * xp.round(phase_rad / _TWO_PI)


def phase_difference_start(amplitude: Array, phase: Array, times: list[float]) -> Array:
    """Field in Hz from the phase differences of neighbouring echoes; of a single echo, from its phase."""
    xp = namespace_of(amplitude)
    if len(times) == 1:
        return phase[0, ...] / (_TWO_PI * times[0])
    spacing = mean_spacing_s(times) if equally_spaced(times) else smallest_spacing_s(times)
    real, imaginary = xp.zeros_like(phase[0, ...]), xp.zeros_like(phase[0, ...])
    for echo, (earlier, later) in enumerate(itertools.pairwise(times)):
        if later - earlier <= spacing * (1.0 + _PAIR_TOLERANCE):
            weight = amplitude[echo, ...] * amplitude[echo + 1, ...]
            turn = phase[echo + 1, ...] - phase[echo, ...]
            real += weight * xp.cos(turn)
            imaginary += weight * xp.sin(turn)
    return xp.atan2(imaginary, real) / (_TWO_PI * spacing)


def period_hz(times: list[float]) -> float:
    """Field that turns the phase between neighbouring echoes by 2π."""
    return 1.0 / (mean_spacing_s(times) if equally_spaced(times) else smallest_spacing_s(times))


def starts_hz(amplitude: Array, phase: Array, times: list[float], *, several: bool) -> list[Array]:
    """Return the fields to start the fit from: by phase differences and, if asked for, whole periods from there."""
    start, period = phase_difference_start(amplitude, phase, times), period_hz(times)
    most = math.ceil(_WIDEST_FIELD_HZ / period) if several else 0
    return [start + turns * period for turns in sorted(range(-most, most + 1), key=abs)]


def best_refined(
    amplitude: Array,
    phase: Array,
    times: list[float],
    starts: list[Array],
    settings: FieldFitSettings,
    on_progress: Callable[[float], None] | None,
) -> tuple[Array, Array, Array]:
    """`refine` from several starts; of each voxel the one with the smallest misfit, the earlier one where equal."""
    xp = namespace_of(amplitude)
    best: tuple[Array, ...] = ()
    for index, start in enumerate(starts):
        found = refine(amplitude, phase, times, start, settings, _part(on_progress, index, len(starts)))
        if len(starts) == 1:
            return found
        candidate = (*found, misfit_of(amplitude, phase, times, *found[:2]))
        if not best:
            best = candidate
            continue
        better = candidate[3] < 0.999 * best[3]
        best = tuple(xp.where(better, new, old) for new, old in zip(candidate, best, strict=True))
    return best[0], best[1], best[2]


def _part(on_progress: Callable[[float], None] | None, index: int, of: int) -> Callable[[float], None] | None:
    return (lambda fraction: on_progress((index + fraction) / of)) if on_progress else None


def refine(
    amplitude: Array,
    phase: Array,
    times: list[float],
    field: Array,
    settings: FieldFitSettings,
    on_progress: Callable[[float], None] | None = None,
) -> tuple[Array, Array, Array]:
    """Gauss–Newton from a field within half a turn; returns field (Hz), offset (rad) and the last step (rad).

    ``amplitude`` and ``phase`` are (echo, voxel), ``field`` is (voxel,).

    Echoes join one by one, so that an error of the start is corrected before it could wrap at a late echo.
    """
    xp = namespace_of(amplitude)
    offset = phase[0, ...] - (_TWO_PI * times[0]) * field
    step = xp.zeros_like(field)
    rounds = list(range(2, len(times))) + [len(times)] * settings.max_iter
    for index, n_echoes in enumerate(rounds):
        sums = [xp.zeros_like(field) for _ in range(5)]
        for echo in range(n_echoes):
            weight = amplitude[echo, ...] ** 2
            error = wrapped(phase[echo, ...] - offset - (_TWO_PI * times[echo]) * field)
            weighted = weight * xp.sin(error)
            for total, part in zip(
                sums,
                (weight, weight * times[echo], weight * times[echo] ** 2, weighted, weighted * times[echo]),
                strict=True,
            ):
                total += part
        w, wt, wtt, we, wte = sums
        determinant = w * wtt - wt * wt
        solvable = determinant > 1e-7 * w * wtt
        safe = xp.where(solvable, determinant, xp.ones_like(determinant))
        zero = xp.zeros_like(field)
        turn_rate = xp.where(solvable, (w * wte - wt * we) / safe, zero)
        offset = offset + xp.where(solvable, (wtt * we - wt * wte) / safe, zero)
        field = field + turn_rate / _TWO_PI
        step = xp.abs(turn_rate) * times[-1]
        if on_progress:
            on_progress((index + 1) / len(rounds))
        if n_echoes == len(times) and (step.shape[0] == 0 or float(xp.max(step)) <= settings.atol_rad):
            break
    return field, offset, step


def misfit_of(amplitude: Array, phase: Array, times: list[float], field: Array, offset: Array) -> Array:
    """Sum over echoes of the squared difference between measured and fitted complex signal."""
    xp = namespace_of(amplitude)
    total = xp.zeros_like(field)
    for echo, time in enumerate(times):
        error = phase[echo, ...] - offset - (_TWO_PI * time) * field
        total += (2.0 * amplitude[echo, ...] * xp.sin(0.5 * error)) ** 2
    return total
