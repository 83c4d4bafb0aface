r"""R2* by a non-linear fit of the squared magnitude, with the noise floor in the model.

.. math:: E[m_e^2] = a^2 h_e^2 e^{-2 R t_e} + f^2, \quad
   \operatorname{var}[m_e^2] \propto a^2 h_e^2 e^{-2 R t_e} + f^2 / 2

hold exactly for Rician and non-central χ magnitudes of any number of coils (f: `noise_floor`; h: `dephasing`, 1 unless
asked for). ln a² and R solve the weighted least-squares (quasi-likelihood) equations of these two moments by
Gauss–Newton, voxel by voxel inside the mask: unbiased down to the floor, and the least-squares fit of the magnitude
well above it. Any echo times.

Source: Feng Y et al., MRM 2013;70:1765 (doi 10.1002/mrm.24607), second-moment model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import namespace_of
from napari_msqsm.errors import ParameterError
from napari_msqsm.qsm.field_fit import scatter
from napari_msqsm.qsm.r2star.dephasing import field_change_over_voxel_hz, squared_dephasing
from napari_msqsm.qsm.r2star.limits import within_range
from napari_msqsm.qsm.r2star.noise_floor import noise_floor_squared, signal_variance_from_misfit
from napari_msqsm.qsm.robust import quantile
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm._backend import Array

_LEAST_DEPHASING = 1e-2
"""Echoes whose squared signal is dephased below this part do not help to find the start."""
_FIRST_ROUND = 4
"""Iterations after which the voxels that have settled are left out."""


class NonlinearSettings(Settings):
    """Non-linear fit that knows the noise floor; any echo times."""

    method: Literal["nonlinear"] = "nonlinear"
    max_r2star_hz: float = quantity(500.0, gt=0, unit="1/s", help="Larger values are set to this one.")
    noise_floor: bool = quantity(
        True,
        help="Take the noise floor into account, from air outside the mask or else from the misfit.",
        source="doi 10.1002/mrm.24607",
    )
    macroscopic_correction: bool = quantity(
        False,
        help="Take the signal loss by the field's gradient across the voxel out of R2*; needs the total field.",
        source="doi 10.1002/1522-2594(200009)44:3<358::AID-MRM3>3.0.CO;2-O",
    )
    max_iter: int = quantity(30, ge=1, help="Most Gauss–Newton iterations.")
    rtol: float = quantity(1e-4, gt=0, help="A voxel has settled when a step changes its last echo by less than this.")


def nonlinear(
    magnitude: Array,
    *,
    echo_times_s: Sequence[float],
    mask: Array,
    total_field_hz: Array | None = None,
    settings: NonlinearSettings | None = None,
) -> Array:
    """Effective transverse relaxation rate.

    Parameters
    ----------
    magnitude
        (echo, X, Y, Z), of any scale, the same noise in all echoes.
    echo_times_s
        One per echo, any spacing.
    mask
        (X, Y, Z) bool.
    total_field_hz
        (X, Y, Z) unwrapped; used with ``macroscopic_correction`` only.
    settings
        What is taken into account.

    Returns
    -------
    Array
        (X, Y, Z) in 1/s, between 0 and ``max_r2star_hz``; zero outside the mask and with a single echo.

    Raises
    ------
    ParameterError
        When ``macroscopic_correction`` is asked for without a total field.

    Notes
    -----
    Differs from the paper: the second moment is weighted by its own variance, so that strong echoes do not rule; the
    floor is one number for the image. Dephasing treats the voxel as a box, along all three axes.
    """
    settings = settings or NonlinearSettings()
    if settings.macroscopic_correction and total_field_hz is None:
        raise ParameterError(
            "r2star.macroscopic_correction is on but there is no total field; give phase or a total field, or set "
            "r2star.macroscopic_correction=false"
        )
    xp = namespace_of(magnitude, mask)
    times = list(echo_times_s)
    zero = xp.zeros_like(magnitude[0, ...])
    if len(times) < 2 or not bool(xp.any(mask)):
        return zero
    inside = [magnitude[echo, ...][mask] for echo in range(len(times))]
    unit = max(quantile(echo, 0.5) for echo in inside) or max(float(xp.max(echo)) for echo in inside)
    if not unit > 0:
        return zero
    squares = [(echo * (1.0 / unit)) ** 2 for echo in inside]
    losses = None
    if settings.macroscopic_correction:
        changes = [change[mask] for change in field_change_over_voxel_hz(total_field_hz, mask)]
        losses = [squared_dephasing(changes, time) for time in times]
    rate, log_start = _fitted(squares, times, losses, 0.0, settings)
    if settings.noise_floor:
        variance = signal_variance_from_misfit(_misfit(squares, times, losses, rate, log_start), len(times) - 2)
        floor = noise_floor_squared(magnitude, mask, variance * unit * unit) / (unit * unit)
        rate, _ = _fitted(squares, times, losses, floor, settings)
    return within_range(scatter(rate, mask), mask, settings.max_r2star_hz)


def _fitted(
    squares: list[Array], times: list[float], losses: list[Array] | None, floor: float, settings: NonlinearSettings
) -> tuple[Array, Array]:
    """R and ln a² of every voxel."""
    xp = namespace_of(squares[0])
    rate, log_start = _start(squares, times, losses, floor)
    rate, log_start, moving = _iterated(squares, times, losses, floor, rate, log_start, settings, _FIRST_ROUND)
    if settings.max_iter > _FIRST_ROUND and bool(xp.any(moving)):
        rest = settings.max_iter - _FIRST_ROUND
        some_losses = None if losses is None else [loss[moving] for loss in losses]
        some = [square[moving] for square in squares]
        found = _iterated(some, times, some_losses, floor, rate[moving], log_start[moving], settings, rest)
        rate[moving], log_start[moving] = found[0], found[1]
    return rate, log_start


def _start(squares: list[Array], times: list[float], losses: list[Array] | None, floor: float) -> tuple[Array, Array]:
    """Log-linear fit of what exceeds the floor."""
    xp = namespace_of(squares[0])
    w, wt, wtt, wl, wtl = (xp.zeros_like(squares[0]) for _ in range(5))
    for echo, time in enumerate(times):
        signal = squares[echo] - floor
        usable = signal > floor
        if losses is not None:
            usable = usable & (losses[echo] > _LEAST_DEPHASING)
            signal = signal / xp.where(usable, losses[echo], xp.ones_like(signal))
        weight = xp.where(usable, signal, xp.zeros_like(signal))
        log = xp.log(xp.where(usable & (signal > 0), signal, xp.ones_like(signal)))
        w += weight
        wt += weight * time
        wtt += weight * time * time
        wl += weight * log
        wtl += weight * time * log
    determinant = w * wtt - wt * wt
    solvable = determinant > 1e-6 * w * wtt
    slope = (w * wtl - wt * wl) / xp.where(solvable, determinant, xp.ones_like(w))
    slope = xp.where(solvable, slope, xp.zeros_like(slope))
    has_signal = w > 0
    level = (wl - slope * wt) / xp.where(has_signal, w, xp.ones_like(w))
    first = xp.where(squares[0] > 0, squares[0], xp.full_like(w, 1e-12))
    return -0.5 * slope, xp.where(has_signal, level, xp.log(first))


def _iterated(
    squares: list[Array],
    times: list[float],
    losses: list[Array] | None,
    floor: float,
    rate: Array,
    log_start: Array,
    settings: NonlinearSettings,
    most: int,
) -> tuple[Array, Array, Array]:
    """Gauss–Newton steps, and the voxels that still move."""
    xp = namespace_of(rate)
    longest = 1.0 / (times[-1] - times[0])
    moving = xp.ones_like(rate) > 0
    for _ in range(min(most, settings.max_iter)):
        a, b, c, p, q = (xp.zeros_like(rate) for _ in range(5))
        for echo, time in enumerate(times):
            signal = _signal(rate, log_start, time, losses, echo)
            weight = 1.0 / (signal + (0.5 * floor + 1e-12))
            slope = -2.0 * time
            once = weight * signal * signal
            misfit = weight * signal * (squares[echo] - signal - floor)
            a += once
            b += once * slope
            c += once * (slope * slope)
            p += misfit
            q += misfit * slope
        determinant = a * c - b * b
        solvable = determinant > 1e-6 * a * c
        safe = xp.where(solvable, determinant, xp.ones_like(determinant))
        nothing = xp.zeros_like(rate)
        step = xp.where(solvable, (a * q - b * p) / safe, nothing)
        step = xp.clip(step, -longest, longest)
        level = xp.where(a > 0, (p - b * step) / xp.where(a > 0, a, xp.ones_like(a)), nothing)  # best for this step
        moved = xp.clip(rate + step, -settings.max_r2star_hz, settings.max_r2star_hz)
        moving = xp.abs(moved - rate) * times[-1] > settings.rtol
        rate, log_start = moved, log_start + xp.clip(level, -2.0, 2.0)
        if not bool(xp.any(moving)):
            break
    return rate, log_start, moving


def _signal(rate: Array, log_start: Array, time: float, losses: list[Array] | None, echo: int) -> Array:
    """Squared magnitude without noise."""
    xp = namespace_of(rate)
    signal = xp.exp(xp.clip(log_start - (2.0 * time) * rate, -60.0, 60.0))
    return signal if losses is None else signal * losses[echo]


def _misfit(
    squares: list[Array], times: list[float], losses: list[Array] | None, rate: Array, log_start: Array
) -> Array:
    """Sum of squared residuals of the magnitude."""
    xp = namespace_of(rate)
    total = xp.zeros_like(rate)
    for echo, time in enumerate(times):
        total += (xp.sqrt(squares[echo]) - xp.sqrt(_signal(rate, log_start, time, losses, echo))) ** 2
    return total
