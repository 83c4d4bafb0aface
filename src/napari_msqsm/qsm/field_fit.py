r"""Field from the complex signal of all echoes.

.. math:: \min_{\phi_0, f} \sum_e |s_e|^2 \; |e^{i\phi_e} - e^{i(\phi_0 + 2\pi f t_e)}|^2

solved voxel by voxel, inside the mask only, by Gauss–Newton from a phase-difference start.

Source: Liu T et al., MRM 2013;69:467 (doi 10.1002/mrm.24272); de Rochefort L et al., MRM 2008;60:1003
(doi 10.1002/mrm.21710).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from array_api_compat import device

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.robust import quantile
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_msqsm._backend import Array

_PAIR_TOLERANCE = 0.02
_EQUAL_TOLERANCE = 2e-3
_WIDEST_FIELD_HZ = 1000.0
"""Fields up to this are told apart by unequal echoes."""
_TWO_PI = 2.0 * math.pi


class FieldFitSettings(Settings):
    """Non-linear complex fit."""

    method: Literal["complex"] = "complex"
    max_iter: int = quantity(30, ge=1, help="Most Gauss–Newton iterations.", source="doi 10.1002/mrm.24272")
    atol_rad: float = quantity(
        1e-4, gt=0, unit="rad", help="Stop when no voxel's last-echo phase moves more than this."
    )


@dataclass(frozen=True)
class FieldFit:
    """Field of every voxel, still wrapped in space.

    Parameters
    ----------
    field_hz
        (X, Y, Z), within ± half of ``period_hz``, zero outside the mask.
    period_hz
        Field that turns the phase between neighbouring echoes by 2π: the field is known up to multiples of it.
    offset_rad
        (X, Y, Z), phase at TE = 0.
    noise_sd_hz
        (X, Y, Z), standard deviation of ``field_hz``: the Cramér–Rao bound at the voxel's signal and the noise that
        the typical misfit shows; 0 where it is unknown.
    residual
        (X, Y, Z), root-mean-square misfit of the complex signal relative to its size; 1 means no agreement.
    converged_fraction
        Part of the mask's voxels whose fit converged.
    """

    field_hz: Array
    period_hz: float
    offset_rad: Array
    noise_sd_hz: Array
    residual: Array
    converged_fraction: float


def smallest_spacing_s(echo_times_s: Sequence[float]) -> float:
    """Smallest time between neighbouring echoes; the echo time itself for a single echo."""
    if len(echo_times_s) == 1:
        return echo_times_s[0]
    return min(later - earlier for earlier, later in itertools.pairwise(echo_times_s))


def equally_spaced(echo_times_s: Sequence[float]) -> bool:
    """Whether a field and the same plus whole periods make the same phase at all echoes."""
    spacing = _mean_spacing_s(echo_times_s)
    return all(
        abs(time - echo_times_s[0] - echo * spacing) <= _EQUAL_TOLERANCE * spacing
        for echo, time in enumerate(echo_times_s)
    )


def _mean_spacing_s(echo_times_s: Sequence[float]) -> float:
    n = len(echo_times_s)
    return (echo_times_s[-1] - echo_times_s[0]) / (n - 1) if n > 1 else echo_times_s[0]


def fit_field(
    magnitude: Array,
    phase_rad: Array,
    *,
    echo_times_s: Sequence[float],
    mask: Array,
    settings: FieldFitSettings | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> FieldFit:
    """Fit offset and field to every voxel of the mask.

    Parameters
    ----------
    magnitude, phase_rad
        (echo, X, Y, Z).
    echo_times_s
        One per echo, any spacing.
    mask
        (X, Y, Z) bool.
    settings
        Iteration limits.
    on_progress
        Called with the fraction done; may raise to stop.

    Notes
    -----
    Differs from the toolbox: the start is the phase of the sum of all neighbouring-echo products of the smallest
    spacing, not of the first two echoes; the noise map comes out in Hz. With a single echo the offset cannot be told
    from the field and is taken as zero. Where echoes are unequally spaced, adding a period changes the phase of some of
    them: the fit starts from every multiple within ±1000 Hz and the best one stands (see `unequal_echoes`).
    """
    settings = settings or FieldFitSettings()
    xp = namespace_of(magnitude, phase_rad)
    amplitude = xp.stack([magnitude[echo, ...][mask] for echo in range(magnitude.shape[0])])
    phase = xp.stack([phase_rad[echo, ...][mask] for echo in range(phase_rad.shape[0])])
    times = list(echo_times_s)
    equal = equally_spaced(times)
    period = 1.0 / (_mean_spacing_s(times) if equal else smallest_spacing_s(times))
    start = _start(amplitude, phase, times)
    last_step = xp.zeros_like(start)
    if len(times) == 1:
        field, offset = start, last_step
    else:
        most = 0 if equal else math.ceil(_WIDEST_FIELD_HZ / period)
        starts = [start + turns * period for turns in sorted(range(-most, most + 1), key=abs)]
        field, offset, last_step = _best_refined(amplitude, phase, times, starts, settings, on_progress)
    residual, noise = _misfit_and_noise(amplitude, phase, times, field, offset)
    field = field - xp.round(field / period) * period
    done = float(xp.mean(xp.astype(last_step <= settings.atol_rad, field.dtype))) if field.shape[0] else 1.0
    return FieldFit(
        field_hz=scatter(field, mask),
        period_hz=period,
        offset_rad=scatter(wrapped(offset), mask),
        noise_sd_hz=scatter(noise, mask),
        residual=scatter(residual, mask),
        converged_fraction=done,
    )


def wrapped(phase_rad: Array) -> Array:
    """Phase within ±π."""
    xp = namespace_of(phase_rad)
    return phase_rad - _TWO_PI * xp.round(phase_rad / _TWO_PI)


def _start(amplitude: Array, phase: Array, times: list[float]) -> Array:
    """Field in Hz from the phase differences of neighbouring echoes; of a single echo, from its phase."""
    xp = namespace_of(amplitude)
    if len(times) == 1:
        return phase[0, ...] / (_TWO_PI * times[0])
    spacing = _mean_spacing_s(times) if equally_spaced(times) else smallest_spacing_s(times)
    real, imaginary = xp.zeros_like(phase[0, ...]), xp.zeros_like(phase[0, ...])
    for echo, (earlier, later) in enumerate(itertools.pairwise(times)):
        if later - earlier <= spacing * (1.0 + _PAIR_TOLERANCE):
            weight = amplitude[echo, ...] * amplitude[echo + 1, ...]
            turn = phase[echo + 1, ...] - phase[echo, ...]
            real += weight * xp.cos(turn)
            imaginary += weight * xp.sin(turn)
    return xp.atan2(imaginary, real) / (_TWO_PI * spacing)


def _best_refined(
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
        candidate = (*found, _misfit(amplitude, phase, times, *found[:2]))
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


def _misfit(amplitude: Array, phase: Array, times: list[float], field: Array, offset: Array) -> Array:
    """Sum over echoes of the squared difference between measured and fitted complex signal."""
    xp = namespace_of(amplitude)
    total = xp.zeros_like(field)
    for echo, time in enumerate(times):
        error = phase[echo, ...] - offset - (_TWO_PI * time) * field
        total += (2.0 * amplitude[echo, ...] * xp.sin(0.5 * error)) ** 2
    return total


def _misfit_and_noise(
    amplitude: Array, phase: Array, times: list[float], field: Array, offset: Array
) -> tuple[Array, Array]:
    """Relative complex misfit, and the standard deviation of the field in Hz."""
    xp = namespace_of(amplitude)
    w, wt, wtt = (xp.zeros_like(field) for _ in range(3))
    for echo, time in enumerate(times):
        weight = amplitude[echo, ...] ** 2
        w += weight
        wt += weight * time
        wtt += weight * time**2
    misfit = _misfit(amplitude, phase, times, field, offset)
    has_signal = w > 0
    safe = xp.where(has_signal, w, xp.ones_like(w))
    residual = xp.where(has_signal, xp.sqrt(misfit / safe), xp.ones_like(w))
    spread = wtt - wt * wt / safe if len(times) > 1 else wtt
    known = has_signal & (spread > 1e-7 * wtt)
    sigma = _signal_noise(misfit[has_signal], len(times))
    noise = xp.where(known, sigma / (_TWO_PI * xp.sqrt(xp.where(known, spread, xp.ones_like(w)))), xp.zeros_like(w))
    return residual, noise


def _signal_noise(misfit: Array, n_echoes: int) -> float:
    """Noise of one channel from the misfit of the typical voxel, χ²-distributed with two degrees less than echoes.

    The median of χ² with k degrees is k(1 − 2/(9k))³ (Wilson and Hilferty). With one or two echoes the fit is exact and
    says nothing; 1 then makes the noise map relative.
    """
    if n_echoes <= 2 or misfit.shape[0] == 0:
        return 1.0
    degrees = n_echoes - 2
    typical = quantile(misfit, 0.5) / (degrees * (1.0 - 2.0 / (9.0 * degrees)) ** 3)
    return math.sqrt(typical) if typical > 0 else 1.0


def scatter(values: Array, mask: Array) -> Array:
    """Put the values of the mask's voxels back into an image, zero elsewhere; inverse of ``image[mask]``."""
    xp = namespace_of(values)
    out = xp.zeros(mask.shape, dtype=values.dtype, device=device(values))
    out[mask] = values
    return out
