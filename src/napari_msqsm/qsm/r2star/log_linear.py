r"""R2* by a straight line through the logarithm of the magnitude.

.. math:: \min_{l, R} \sum_e m_e^2 \, (\ln m_e - l + R t_e)^2

The weight is the inverse variance of the logarithm, so that weak echoes count little. Any echo times.

Source: Pei M et al., MRM 2015;73:843 (doi 10.1002/mrm.25137), which compares it with ARLO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.r2star.limits import within_range
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm._backend import Array


class LogLinearSettings(Settings):
    """Weighted straight line through the logarithm; any echo times."""

    method: Literal["loglinear"] = "loglinear"
    max_r2star_hz: float = quantity(500.0, gt=0, unit="1/s", help="Larger values are set to this one.")


def log_linear(
    magnitude: Array, *, echo_times_s: Sequence[float], mask: Array, settings: LogLinearSettings | None = None
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
    settings
        Largest value.

    Returns
    -------
    Array
        (X, Y, Z) in 1/s, between 0 and ``max_r2star_hz``; zero outside the mask and with a single echo.
    """
    settings = settings or LogLinearSettings()
    return within_range(log_linear_rate(magnitude, list(echo_times_s)), mask, settings.max_r2star_hz)


def log_linear_rate(magnitude: Array, times: list[float]) -> Array:
    """Slope of the fit, of any sign; (echo, …) → (…). Zero where fewer than two echoes have a signal."""
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
