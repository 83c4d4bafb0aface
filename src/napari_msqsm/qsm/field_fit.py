r"""Field from the complex signal of all echoes.

.. math:: \min_{\phi_0, f} \sum_e |s_e|^2 \; |e^{i\phi_e} - e^{i(\phi_0 + 2\pi f t_e)}|^2

solved voxel by voxel, inside the mask only, by Gauss–Newton from a phase-difference start.

Source: Liu T et al., MRM 2013;69:467 (doi 10.1002/mrm.24272); de Rochefort L et al., MRM 2008;60:1003
(doi 10.1002/mrm.21710).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from array_api_compat import device

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.complex_fit import best_refined, misfit_of, period_hz, starts_hz, wrapped
from napari_msqsm.qsm.echo_spacing import equally_spaced
from napari_msqsm.qsm.outlier_echoes import LEAST_ECHOES, refine_without_outliers
from napari_msqsm.qsm.robust import quantile
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_msqsm._backend import Array

_TWO_PI = 2.0 * math.pi
_LEFT_OUT = 0.5
"""Weight below which an echo is said to be left out."""


class FieldFitSettings(Settings):
    """Non-linear complex fit."""

    method: Literal["complex"] = "complex"
    max_iter: int = quantity(30, ge=1, help="Most Gauss–Newton iterations.", source="doi 10.1002/mrm.24272")
    atol_rad: float = quantity(
        1e-4, gt=0, unit="rad", help="Stop when no voxel's last-echo phase moves more than this."
    )
    outlier_echoes: bool = quantity(
        False, help="Leave out echoes whose phase disagrees with the others of their voxel (four echoes or more)."
    )
    dephasing_rounds: int = quantity(
        0,
        ge=0,
        le=5,
        help="Refits in which an echo counts by the coherence that the change of the field over the voxel leaves it. 0 "
        "is off.",
        source="doi 10.1002/1522-2594(200009)44:3<358::AID-MRM3>3.0.CO;2-O",
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
    outlier_fraction
        For each echo, the part of the mask's voxels where it was left out; empty where none was looked for.
    """

    field_hz: Array
    period_hz: float
    offset_rad: Array
    noise_sd_hz: Array
    residual: Array
    converged_fraction: float
    outlier_fraction: tuple[float, ...] = ()


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
    amplitude = amplitude * (1.0 / (float(xp.max(amplitude)) or 1.0))  # its powers stay within single precision
    phase = xp.stack([phase_rad[echo, ...][mask] for echo in range(phase_rad.shape[0])])
    times = list(echo_times_s)
    period = period_hz(times)
    starts = starts_hz(amplitude, phase, times, several=not equally_spaced(times))
    robust = settings.outlier_echoes and len(times) >= LEAST_ECHOES
    outlier_fraction: tuple[float, ...] = ()
    if len(times) == 1:
        field, offset, last_step = starts[0], xp.zeros_like(starts[0]), xp.zeros_like(starts[0])
    else:
        first_half = (lambda fraction: on_progress(0.5 * fraction)) if on_progress and robust else on_progress
        field, offset, last_step = best_refined(amplitude, phase, times, starts, settings, first_half)
    if robust:
        second_half = (lambda fraction: on_progress(0.5 + 0.5 * fraction)) if on_progress else None
        fit = refine_without_outliers(amplitude, phase, times, field, offset, last_step, settings, second_half)
        field, offset, last_step = fit.field, fit.offset, fit.last_step
        amplitude = amplitude * xp.sqrt(fit.weights)
        left_out = xp.astype(fit.weights < _LEFT_OUT, field.dtype)
        outlier_fraction = tuple(float(xp.mean(left_out[echo, ...])) for echo in range(len(times)))
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
        outlier_fraction=outlier_fraction,
    )


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
    misfit = misfit_of(amplitude, phase, times, field, offset)
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
