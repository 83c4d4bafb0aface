"""Agreement of two raters on a yes/no question: Cohen's κ with its relatives and intervals.

Cohen J, Educ Psychol Meas 1960;20:37 (doi 10.1177/001316446002000104); Byrt T et al., J Clin Epidemiol 1993;46:423
(doi 10.1016/0895-4356(93)90018-V) for the prevalence- and bias-adjusted κ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import InputError, ShapeMismatchError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_Z = 1.96
"""Normal quantile of a 95 % interval."""


@dataclass(frozen=True)
class Agreement:
    """Agreement of two raters.

    Parameters
    ----------
    n
        Things that both rated.
    both, only_first, only_second, neither
        The 2×2 table of *yes*.
    observed, expected
        Part on which they agree, and that which chance would give with their rates.
    kappa
        ``(observed − expected) / (1 − expected)``; NaN where both said the same of everything.
    se, lower, upper
        Large-sample standard error (Fleiss JL et al., Psychol Bull 1969;72:323, doi 10.1037/h0028106), and the interval
        κ ± 1.96 se, which is not cut at 1.
    pabak
        ``2 observed − 1``.
    positive, negative
        Part of the *yes* (*no*) of either that the other shared: ``2 both / (2 both + disagreements)``.
    """

    n: int
    both: int
    only_first: int
    only_second: int
    neither: int
    observed: float
    expected: float
    kappa: float
    se: float
    lower: float
    upper: float
    pabak: float
    positive: float
    negative: float


def agreement(first: ArrayLike, second: ArrayLike) -> Agreement:
    """Compare two raters.

    Parameters
    ----------
    first, second
        (n,) 1 for yes, 0 for no, NaN where one did not say; what one of them did not rate is left out.

    Raises
    ------
    InputError
        When there is nothing that both rated, or a rating is neither 0 nor 1.
    ShapeMismatchError
        When the lengths differ.
    """
    a, b = _ratings(first), _ratings(second)
    if a.shape != b.shape:
        raise ShapeMismatchError(f"the first rater has {a.size} ratings but the second {b.size}")
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known] == 1, b[known] == 1
    n = a.size
    if n == 0:
        raise InputError("there is nothing that both raters rated")
    both, neither = int((a & b).sum()), int((~a & ~b).sum())
    only_first, only_second = int((a & ~b).sum()), int((~a & b).sum())
    observed = (both + neither) / n
    rate_a, rate_b = float(a.mean()), float(b.mean())
    expected = rate_a * rate_b + (1.0 - rate_a) * (1.0 - rate_b)
    beyond = 1.0 - expected
    kappa = (observed - expected) / beyond if beyond > 0 else float("nan")
    table = np.array([[neither, only_second], [only_first, both]]) / n
    se = _standard_error(table, n, kappa, expected) if beyond > 0 else float("nan")
    apart = only_first + only_second
    return Agreement(
        n, both, only_first, only_second, neither, observed, expected, kappa, se, kappa - _Z * se, kappa + _Z * se,
        2.0 * observed - 1.0, _part(both, apart), _part(neither, apart),
    )  # fmt: skip


def clustered_interval(
    first: ArrayLike, second: ArrayLike, patients: ArrayLike, *, n_samples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of κ from patients drawn with replacement: lesions of one patient are not independent.

    Parameters
    ----------
    first, second
        As in `agreement`.
    patients
        (n,) to whom each belongs.
    n_samples
        Bootstrap samples; those in which κ is not defined are left out.
    seed
        Of the draws.

    Returns
    -------
    tuple
        NaN where fewer than half of the samples have a κ.
    """
    a, b = _ratings(first), _ratings(second)
    number = np.unique(np.asarray(patients), return_inverse=True)[1].ravel()
    known = np.isfinite(a) & np.isfinite(b)
    counts = np.zeros((int(number.max(initial=-1)) + 1, 4))
    np.add.at(counts, (number[known], (2 * a[known] + b[known]).astype(np.intp)), 1)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(counts.shape[0], size=(n_samples, counts.shape[0]))
    tables = counts[drawn].sum(axis=1)
    total = tables.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        neither, second_only, first_only, both = (tables / total[:, None]).T
        rate_a, rate_b = both + first_only, both + second_only
        expected = rate_a * rate_b + (1 - rate_a) * (1 - rate_b)
        kappa = (both + neither - expected) / (1 - expected)
    kappa = kappa[np.isfinite(kappa)]
    if kappa.size < n_samples / 2:
        return float("nan"), float("nan")
    lower, upper = np.quantile(kappa, [0.025, 0.975])
    return float(lower), float(upper)


def _standard_error(table: NDArray[np.float64], n: int, kappa: float, expected: float) -> float:
    """Compute the standard error of κ for proportions (first rater, second rater)."""
    first, second = table.sum(axis=1), table.sum(axis=0)
    weight = second[:, None] + first[None, :]
    agree = sum(table[i, i] * (1.0 - (first[i] + second[i]) * (1.0 - kappa)) ** 2 for i in range(2))
    differ = (1.0 - kappa) ** 2 * sum(table[i, 1 - i] * weight[i, 1 - i] ** 2 for i in range(2))
    spread = agree + differ - (kappa - expected * (1.0 - kappa)) ** 2
    return float(np.sqrt(max(spread, 0.0) / n)) / (1.0 - expected)


def _part(shared: int, apart: int) -> float:
    return 2.0 * shared / (2.0 * shared + apart) if shared or apart else float("nan")


def _ratings(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    wrong = array[np.isfinite(array) & (array != 0) & (array != 1)]
    if wrong.size:
        raise InputError(f"a rating must be 1 (yes), 0 (no) or missing, got {wrong[0]:g}")
    return array
