"""Tails and quantiles of t and F, from `scipy.special`: importing `scipy.stats` takes a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95
"""Of all intervals and bands."""


def t_two_sided_p(t: float, df: float) -> float:
    """Probability of a larger |t|; normal where ``df`` is infinite."""
    return float(2.0 * (special.stdtr(df, -abs(t)) if np.isfinite(df) else special.ndtr(-abs(t))))


def t_half_width(df: ArrayLike) -> NDArray[np.float64]:
    """Half width of the 95 % interval in standard errors; normal where ``df`` is infinite."""
    df = np.asarray(df, dtype=np.float64)
    normal = special.ndtri(0.5 + LEVEL / 2)
    return np.asarray(
        np.where(np.isfinite(df), special.stdtrit(np.where(np.isfinite(df), df, 1.0), 0.5 + LEVEL / 2), normal)
    )


def f_p(f: float, numerator_df: int, denominator_df: float) -> float:
    """Probability of a larger F."""
    if not np.isfinite(denominator_df):
        return float(special.chdtrc(numerator_df, numerator_df * f))
    return float(special.fdtrc(numerator_df, denominator_df, f))
