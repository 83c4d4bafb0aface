r"""A field fit that a bad echo cannot spoil.

Where the plain fit leaves an echo further from it than noise can explain, the fit is repeated once without each echo;
of these the one stands that most echoes agree with, and two passes of re-weighting settle it:

.. math:: \min_{\phi_0, f} \sum_e \rho(r_e / s), \quad r_e = 2 |s_e| \, |\sin \tfrac12 (\phi_e - \phi_0 - 2\pi f t_e)|

with Tukey's :math:`\rho`, which is constant beyond 4.685 times the scale :math:`s`.

Source: Beaton AE, Tukey JW, Technometrics 1974;16:147 (doi 10.1080/00401706.1974.10489171); scale and constant: Holland
PW, Welsch RE, Commun Stat 1977;6:813 (doi 10.1080/03610927708827533).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.complex_fit import best_refined, misfit_of, refine, starts_hz
from napari_msqsm.qsm.echo_spacing import equally_spaced
from napari_msqsm.qsm.robust import quantile

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.field_fit import FieldFitSettings

LEAST_ECHOES = 4
"""With three, leaving any one out makes the others agree."""
_SUSPICIOUS = 3.0
"""Standard deviations of the noise from which an echo is looked at."""
_TUKEY = 4.685
_MAD_TO_SD = 1.4826
_PASSES = 2
_SAMPLE = 5000
_TWO_PI = 2.0 * math.pi


@dataclass(frozen=True)
class RobustFit:
    """Outcome for the voxels of the mask.

    Parameters
    ----------
    field, offset, last_step
        (voxel,) in Hz, rad, rad.
    weights
        (echo, voxel), 1 where an echo counts fully, 0 where it is left out.
    """

    field: Array
    offset: Array
    last_step: Array
    weights: Array


def refine_without_outliers(
    amplitude: Array,
    phase: Array,
    times: list[float],
    field: Array,
    offset: Array,
    last_step: Array,
    settings: FieldFitSettings,
    on_progress: Callable[[float], None] | None = None,
) -> RobustFit:
    """Repeat a plain fit where an echo disagrees.

    Parameters
    ----------
    amplitude, phase
        (echo, voxel).
    times
        Echo times in s, at least `LEAST_ECHOES`.
    field, offset, last_step
        (voxel,) of the plain fit.
    settings
        Iteration limits.
    on_progress
        Called with the fraction done; may raise to stop.
    """
    xp = namespace_of(amplitude)
    noise = _noise_of_best_echoes(amplitude, phase, times, field, offset, settings)
    suspicious = xp.max(_distances(amplitude, phase, times, field, offset), axis=0) > _SUSPICIOUS * noise
    weights = xp.ones_like(amplitude)
    if noise == 0.0 or not bool(xp.any(suspicious)):
        return RobustFit(field, offset, last_step, weights)
    some_amplitude = _columns(amplitude, suspicious)
    some_phase = _columns(phase, suspicious)
    best = (field[suspicious], offset[suspicious])
    cost = _tukey_cost(_distances(some_amplitude, some_phase, times, *best), noise)
    for left_out in range(len(times)):
        found = _fit_without(left_out, some_amplitude, some_phase, times, settings)
        its_cost = _tukey_cost(_distances(some_amplitude, some_phase, times, *found), noise)
        better = its_cost < cost
        best = (xp.where(better, found[0], best[0]), xp.where(better, found[1], best[1]))
        cost = xp.where(better, its_cost, cost)
        if on_progress:
            on_progress((left_out + 1) / (len(times) + 1))
    step = xp.zeros_like(best[0])
    for _ in range(_PASSES):
        some_weights = _tukey_weights(_distances(some_amplitude, some_phase, times, *best), noise)
        weighted = some_amplitude * xp.sqrt(some_weights)
        new_field, new_offset, step = refine(weighted, some_phase, times, best[0], settings)
        best = (new_field, new_offset)
    return RobustFit(
        field=_replaced(field, suspicious, best[0]),
        offset=_replaced(offset, suspicious, best[1]),
        last_step=_replaced(last_step, suspicious, step),
        weights=xp.stack([_replaced(weights[e, ...], suspicious, some_weights[e, ...]) for e in range(len(times))]),
    )


def refine_near(
    amplitude: Array,
    phase: Array,
    times: list[float],
    field: Array,
    settings: FieldFitSettings,
    on_progress: Callable[[float], None] | None = None,
) -> Array:
    """Fit once more from a good field; returns the field (voxel,), whose whole periods stay.

    Where the settings ask for it outliers are re-weighted, from the given field and from the plain fit: the one stands
    that more echoes agree with.
    """
    xp = namespace_of(amplitude)
    plain, offset, _ = refine(amplitude, phase, times, field, settings, on_progress)
    if not settings.outlier_echoes or len(times) < LEAST_ECHOES or field.shape[0] == 0:
        return plain
    given_offset = _offset_of(amplitude, phase, times, field)
    noise = _MAD_TO_SD * quantile(_half_of_echoes(_distances(amplitude, phase, times, field, given_offset)), 0.5)
    found = []
    for start in ((field, given_offset), (plain, offset)):
        now = start
        for _ in range(_PASSES):
            weights = _tukey_weights(_distances(amplitude, phase, times, *now), noise)
            now = refine(amplitude * xp.sqrt(weights), phase, times, now[0], settings)[:2]
        found.append((now[0], _tukey_cost(_distances(amplitude, phase, times, *now), noise)))
    (from_given, its_cost), (from_plain, other_cost) = found
    return xp.where(its_cost <= other_cost, from_given, from_plain)


def _offset_of(amplitude: Array, phase: Array, times: list[float], field: Array) -> Array:
    """Phase at TE = 0 of the sum of all echoes after the field's phase is taken away."""
    xp = namespace_of(amplitude)
    real, imaginary = xp.zeros_like(field), xp.zeros_like(field)
    for echo, time in enumerate(times):
        rest = phase[echo, ...] - (_TWO_PI * time) * field
        real += amplitude[echo, ...] * xp.cos(rest)
        imaginary += amplitude[echo, ...] * xp.sin(rest)
    return xp.atan2(imaginary, real)


def _fit_without(
    left_out: int, amplitude: Array, phase: Array, times: list[float], settings: FieldFitSettings
) -> tuple[Array, Array]:
    """Field and offset from all echoes but one."""
    xp = namespace_of(amplitude)
    kept = [echo for echo in range(len(times)) if echo != left_out]
    its_amplitude = xp.stack([amplitude[echo, ...] for echo in kept])
    its_phase = xp.stack([phase[echo, ...] for echo in kept])
    its_times = [times[echo] for echo in kept]
    starts = starts_hz(its_amplitude, its_phase, its_times, several=not equally_spaced(times))
    return best_refined(its_amplitude, its_phase, its_times, starts, settings, None)[:2]


def _noise_of_best_echoes(
    amplitude: Array, phase: Array, times: list[float], field: Array, offset: Array, settings: FieldFitSettings
) -> float:
    """Noise of one channel: the least that the typical voxel shows with all echoes, or without any one of them.

    An echo that is bad in every voxel must not count as noise.
    """
    n = amplitude.shape[1]
    every = max(1, n // _SAMPLE)
    amplitude, phase = amplitude[:, ::every], phase[:, ::every]
    found = [_typical_noise(misfit_of(amplitude, phase, times, field[::every], offset[::every]), len(times))]
    for left_out in range(len(times)):
        kept = [echo for echo in range(len(times)) if echo != left_out]
        fit = _fit_without(left_out, amplitude, phase, times, settings)
        xp = namespace_of(amplitude)
        misfit = misfit_of(
            xp.stack([amplitude[echo, ...] for echo in kept]),
            xp.stack([phase[echo, ...] for echo in kept]),
            [times[echo] for echo in kept],
            *fit,
        )
        found.append(_typical_noise(misfit, len(kept)))
    return min(found)


def _typical_noise(misfit: Array, n_echoes: int) -> float:
    """From the median of χ² with two degrees less than echoes, k(1 − 2/(9k))³ (Wilson and Hilferty)."""
    if misfit.shape[0] == 0:
        return 0.0
    degrees = n_echoes - 2
    return math.sqrt(quantile(misfit, 0.5) / (degrees * (1.0 - 2.0 / (9.0 * degrees)) ** 3))


def _distances(amplitude: Array, phase: Array, times: list[float], field: Array, offset: Array) -> Array:
    """Distance of each echo's complex signal from the fit, (echo, voxel)."""
    xp = namespace_of(amplitude)
    return xp.stack(
        [
            2.0 * amplitude[e, ...] * xp.abs(xp.sin(0.5 * (phase[e, ...] - offset - (_TWO_PI * time) * field)))
            for e, time in enumerate(times)
        ]
    )


def _tukey_weights(distances: Array, noise: float) -> Array:
    """Weights of each echo; its scale is what half of the echoes of a voxel keep to, and no less than the noise."""
    xp = namespace_of(distances)
    half = _half_of_echoes(distances)
    scale = xp.maximum(_MAD_TO_SD * half, xp.ones_like(half) * noise)
    share = xp.minimum(distances / (_TUKEY * xp.where(scale > 0, scale, xp.ones_like(scale))), xp.ones_like(distances))
    return (1.0 - share * share) ** 2


def _half_of_echoes(distances: Array) -> Array:
    """Distance that half of the echoes of each voxel keep to."""
    xp = namespace_of(distances)
    return xp.sort(distances, axis=0)[(distances.shape[0] - 1) // 2, ...]


def _tukey_cost(distances: Array, noise: float) -> Array:
    """Sum over echoes of Tukey's ρ, 0 … 1 each."""
    xp = namespace_of(distances)
    share = xp.minimum(distances / (_TUKEY * noise if noise > 0 else 1.0), xp.ones_like(distances))
    return xp.sum(1.0 - (1.0 - share * share) ** 3, axis=0)


def _columns(values: Array, where: Array) -> Array:
    xp = namespace_of(values)
    return xp.stack([values[row, ...][where] for row in range(values.shape[0])])


def _replaced(values: Array, where: Array, new: Array) -> Array:
    xp = namespace_of(values)
    out = xp.asarray(values, copy=True)
    out[where] = new
    return out
