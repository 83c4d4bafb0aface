r"""How well a measurement repeats: Bland–Altman statistics of pairs.

With differences :math:`d_i = x_{2i} - x_{1i}` of n pairs: bias :math:`\bar d`, within-subject standard deviation
:math:`s_w = s_d / \sqrt 2`, repeatability coefficient :math:`1.96 \sqrt 2\, s_w = 1.96\, s_d`: two measurements of the
same thing differ from the bias by less in 95 % of the cases. The intraclass correlation is the one-way ICC(1,1),

.. math::  \frac{MS_b - MS_w}{MS_b + MS_w}, \quad MS_w = \frac{1}{2n} \sum d_i^2,
   \quad MS_b = \frac{2}{n-1} \sum (m_i - \bar m)^2

with :math:`m_i` the mean of a pair; a bias counts as error.

Source: Bland JM, Altman DG, Lancet 1986;327:307 (doi 10.1016/S0140-6736(86)90837-8) and Stat Methods Med Res 1999;8:135
(doi 10.1177/096228029900800204); Shrout PE, Fleiss JL, Psychol Bull 1979;86:420 (doi 10.1037/0033-2909.86.2.420).
Differs from the paper: where the bias is not zero, it is taken out of the within-subject standard deviation.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

COVERAGE_FACTOR = 1.96
_LEAST_FOR_ICC = 3


@dataclass(frozen=True)
class Repeatability:
    """Statistics of pairs, in the unit of the values; NaN where there are too few pairs.

    Parameters
    ----------
    n
        Pairs.
    mean
        Of all values.
    bias
        Mean of second minus first.
    sd_difference
        Standard deviation of the differences; from two pairs on.
    within_sd
        Within-subject standard deviation.
    coefficient
        Repeatability coefficient.
    icc
        Intraclass correlation, ICC(1,1); from three pairs on.
    """

    n: int
    mean: float
    bias: float
    sd_difference: float
    within_sd: float
    coefficient: float
    icc: float


def repeatability(first: Sequence[float], second: Sequence[float]) -> Repeatability:
    """Statistics of pairs.

    Parameters
    ----------
    first, second
        Values of the first and the second measurement, in the same order.

    Raises
    ------
    ParameterError
        When there is no pair, one has no partner or is not finite.
    """
    if len(first) != len(second) or not first:
        raise ParameterError(f"first has {len(first)} values and second {len(second)}; give pairs, at least one")
    if not all(math.isfinite(value) for value in (*first, *second)):
        raise ParameterError("first or second holds a value that is not finite; leave such pairs out")
    n = len(first)
    differences = [b - a for a, b in zip(first, second, strict=True)]
    means = [(a + b) / 2.0 for a, b in zip(first, second, strict=True)]
    sd = statistics.stdev(differences) if n > 1 else math.nan
    within = sd / math.sqrt(2.0)
    return Repeatability(
        n=n,
        mean=statistics.fmean(means),
        bias=statistics.fmean(differences),
        sd_difference=sd,
        within_sd=within,
        coefficient=COVERAGE_FACTOR * math.sqrt(2.0) * within,
        icc=_icc(means, differences) if n >= _LEAST_FOR_ICC else math.nan,
    )


def _icc(means: Sequence[float], differences: Sequence[float]) -> float:
    between = 2.0 * statistics.variance(means)
    within = statistics.fmean(d * d for d in differences) / 2.0
    return (between - within) / (between + within) if between + within > 0 else math.nan
