"""A basis over lesion age, made from the ages of a table and evaluated at any age."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class TimeBasis:
    """Columns ``ot1 … otk`` over lesion age.

    Parameters
    ----------
    name
        ``octile-bins``, ``octile-poly``, ``poly`` or ``spline``.
    degree
        Number of columns.
    evaluate
        Returns the (n, k) columns at (n,) ages in years.
    orthogonal
        Whether the columns are orthogonal polynomials, whose coefficients read as linear, quadratic, cubic …
    formula
        In words, for methods text and reports.
    knots_y
        Ages in years that define it: breaks of bins, support points or knots.
    bin_of
        Returns the bin of (n,) ages, from 0; None where there are none.
    notes
        What was capped by the data, one sentence each.
    """

    name: str
    degree: int
    evaluate: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    orthogonal: bool
    formula: str
    knots_y: tuple[float, ...]
    bin_of: Callable[[NDArray[np.float64]], NDArray[np.intp]] | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(f"ot{column + 1}" for column in range(self.degree))


def octiles_y(ages_y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles k/8, k = 0 … 8, of the follow-up ages (those above 0), R's type 7; equal ones merged."""
    later = ages_y[ages_y > 0]
    return np.unique(np.quantile(later, np.arange(9) / 8)) if later.size else np.empty(0)
