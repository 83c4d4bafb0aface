r"""The noise floor of magnitude images.

With noise of standard deviation σ in every channel the mean of the squared magnitude is A² + f², f² = 2nσ², for the
root sum of squares of n coils (non-central χ) as for one coil (Rice). In air A is 0, so that the mean square there is
f² whatever n is.

Source: Feng Y et al., MRM 2013;70:1765 (doi 10.1002/mrm.24607).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.robust import quantile

if TYPE_CHECKING:
    from napari_msqsm._backend import Array

_LEAST_AIR = 500
_AIR_QUANTILE = 0.05
_AIR_SPAN = 3.0
"""Of the voxels outside the head, those whose mean square stays below this multiple of the floor are air."""
_ROUNDS = 30
_CHANNELS = (0.5, 64.0)
"""Numbers of coils that are believed; air that a vendor has masked looks like fewer."""


def noise_floor_squared(magnitude: Array, mask: Array, signal_variance: float) -> float:
    """Mean square of the magnitude where there is no signal.

    Parameters
    ----------
    magnitude
        (echo, X, Y, Z).
    mask
        (X, Y, Z) bool; air is looked for outside it, where no echo is exactly zero.
    signal_variance
        σ² of a channel as the misfit of the decay shows it (`signal_variance_from_misfit`); NaN where it is unknown.

    Returns
    -------
    float
        From air where air is there and its level goes with ``signal_variance`` for a believable number of coils, else
        2 ``signal_variance`` (one channel); 0 where neither is known.
    """
    air = _air_mean_square(magnitude, mask)
    if not signal_variance > 0:
        return air if air > 0 else 0.0
    channels = air / (2.0 * signal_variance)
    return air if _CHANNELS[0] <= channels <= _CHANNELS[1] else 2.0 * signal_variance


def signal_variance_from_misfit(misfit: Array, degrees: int) -> float:
    """Variance of one channel from the sums of squared residuals of voxels, 1-D, most of them well above the floor.

    The median of χ² with k degrees is k(1 − 2/(9k))³ (Wilson and Hilferty). NaN without degrees of freedom.
    """
    if degrees < 1 or misfit.shape[0] == 0:
        return math.nan
    return quantile(misfit, 0.5) / (degrees * (1.0 - 2.0 / (9.0 * degrees)) ** 3)


def _air_mean_square(magnitude: Array, mask: Array) -> float:
    """Mean of all values below three times this mean, searched for from the weakest voxels; NaN without air."""
    xp = namespace_of(magnitude, mask)
    squares, outside = xp.zeros_like(magnitude[0, ...]), ~mask
    for echo in range(magnitude.shape[0]):
        squares += magnitude[echo, ...] * magnitude[echo, ...]
        outside = outside & (magnitude[echo, ...] > 0)
    values = squares[outside] / magnitude.shape[0]
    if values.shape[0] < _LEAST_AIR:
        return math.nan
    level = quantile(values, _AIR_QUANTILE)
    for _ in range(_ROUNDS):
        below = values < _AIR_SPAN * level
        number = float(xp.sum(xp.astype(below, values.dtype)))
        if number == 0:
            return math.nan
        new = float(xp.sum(xp.where(below, values, xp.zeros_like(values)))) / number
        if abs(new - level) <= 1e-3 * level:
            return new
        level = new
    return level
