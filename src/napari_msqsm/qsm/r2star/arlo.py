r"""R2* by ARLO: auto-regression on linear operations.

For a mono-exponential sampled at equal spacing the integral over two intervals (Simpson's rule) is proportional to the
difference of its ends, so that R2* is one ratio of sums.

Source: Pei M et al., MRM 2015;73:843 (doi 10.1002/mrm.25137).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.echo_spacing import equally_spaced
from napari_msqsm.qsm.r2star.limits import within_range
from napari_msqsm.qsm.r2star.log_linear import log_linear_rate
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm._backend import Array

_LEAST_ECHOES = 3


class ArloSettings(Settings):
    """Auto-regression (ARLO): fast; too small where late echoes meet the noise floor."""

    method: Literal["arlo"] = "arlo"
    max_r2star_hz: float = quantity(500.0, gt=0, unit="1/s", help="Larger values are set to this one.")


def arlo(
    magnitude: Array, *, echo_times_s: Sequence[float], mask: Array, settings: ArloSettings | None = None
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

    Notes
    -----
    Differs from the paper: with unequal spacing or two echoes, where Simpson's rule does not apply, the log-linear fit
    takes its place.
    """
    settings = settings or ArloSettings()
    times = list(echo_times_s)
    if len(times) >= _LEAST_ECHOES and equally_spaced(times):
        rate = _rate(magnitude, times)
    else:
        rate = log_linear_rate(magnitude, times)
    return within_range(rate, mask, settings.max_r2star_hz)


def _rate(magnitude: Array, times: list[float]) -> Array:
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
