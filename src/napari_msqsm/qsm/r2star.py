r"""R2* by ARLO: auto-regression on linear operations.

For a mono-exponential sampled at equal spacing the integral over two intervals (Simpson's rule) is proportional to the
difference of its ends, so that R2* is one ratio of sums. Any other spacing uses the log-linear fit weighted by the
squared magnitude.

Source: Pei M et al., MRM 2015;73:843 (doi 10.1002/mrm.25137).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.field_fit import equally_spaced
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm._backend import Array


class R2starSettings(Settings):
    """R2* map."""

    method: Literal["arlo"] = "arlo"
    max_r2star_hz: float = quantity(500.0, gt=0, unit="1/s", help="Larger values are set to this one.")


def fit_r2star(
    magnitude: Array, *, echo_times_s: Sequence[float], mask: Array, settings: R2starSettings | None = None
) -> Array:
    """Effective transverse relaxation rate.

    Parameters
    ----------
    magnitude
        (echo, X, Y, Z).
    echo_times_s
        One per echo.
    mask
        (X, Y, Z) bool.

    Returns
    -------
    Array
        (X, Y, Z) in 1/s, between 0 and ``max_r2star_hz``; zero outside the mask and with a single echo.
    """
    settings = settings or R2starSettings()
    xp = namespace_of(magnitude)
    times = list(echo_times_s)
    zero = xp.zeros_like(magnitude[0, ...])
    if len(times) < 2:
        return zero
    rate = _arlo(magnitude, times) if len(times) >= 3 and equally_spaced(times) else _log_linear(magnitude, times)
    rate = xp.clip(rate, 0.0, settings.max_r2star_hz)
    return xp.where(mask, rate, zero)


def _arlo(magnitude: Array, times: list[float]) -> Array:
    xp = namespace_of(magnitude)
    third = (times[1] - times[0]) / 3.0
    upper, lower = xp.zeros_like(magnitude[0, ...]), xp.zeros_like(magnitude[0, ...])
    for echo in range(len(times) - 2):
        first, middle, last = (magnitude[echo + k, ...] for k in range(3))
        integral = third * (first + 4.0 * middle + last)
        drop = first - last
        # minimises Σ (integral − T2*·drop)² together with its mirror image in R2*, as in the paper
        upper += third * drop * drop + integral * drop
        lower += integral * integral + third * integral * drop
    return xp.where(lower > 0, upper / xp.where(lower > 0, lower, xp.ones_like(lower)), xp.zeros_like(lower))


def _log_linear(magnitude: Array, times: list[float]) -> Array:
    xp = namespace_of(magnitude)
    w, wt, wtt, wl, wtl = (xp.zeros_like(magnitude[0, ...]) for _ in range(5))
    for echo, time in enumerate(times):
        signal = magnitude[echo, ...]
        weight = signal * signal
        log = xp.log(xp.where(signal > 0, signal, xp.ones_like(signal)))
        w += weight
        wt += weight * time
        wtt += weight * time * time
        wl += weight * log
        wtl += weight * time * log
    determinant = w * wtt - wt * wt
    solvable = determinant > 1e-6 * w * wtt
    slope = (w * wtl - wt * wl) / xp.where(solvable, determinant, xp.ones_like(determinant))
    return xp.where(solvable, -slope, xp.zeros_like(slope))
