"""Polynomials orthogonal over given points, evaluated anywhere by their three-term recurrence, as R's ``poly``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class OrthogonalPolynomials:
    """``P₀ = 1, P_{k+1}(t) = (t − α_k) P_k(t) − (ν_k / ν_{k−1}) P_{k−1}(t)``, each of length 1 over the points.

    Parameters
    ----------
    alpha
        (k,) centres.
    squared_lengths
        (k + 1,) ν: sums of squares over the points.
    """

    alpha: NDArray[np.float64]
    squared_lengths: NDArray[np.float64]

    @classmethod
    def over(cls, points: NDArray[np.float64], degree: int) -> OrthogonalPolynomials:
        """Make polynomials of degree 1 … ``degree`` that are orthogonal over points (repeated ones count)."""
        before, now = np.zeros_like(points), np.ones_like(points)
        alpha, lengths = [], [float(points.size)]
        for k in range(degree):
            centre = float((points * now * now).sum() / lengths[-1])
            alpha.append(centre)
            after = (points - centre) * now - ((lengths[-1] / lengths[-2]) * before if k else 0.0)
            before, now = now, after
            lengths.append(float((now * now).sum()))
        return cls(np.array(alpha), np.array(lengths))

    def __call__(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, k) values at (n,) points."""
        at = np.asarray(at, dtype=np.float64)
        columns = [np.ones_like(at)]
        for k, centre in enumerate(self.alpha):
            after = (at - centre) * columns[-1]
            if k:
                after = after - (self.squared_lengths[k] / self.squared_lengths[k - 1]) * columns[-2]
            columns.append(after)
        out = [column / np.sqrt(self.squared_lengths[k]) for k, column in enumerate(columns)][1:]
        return np.stack(out, axis=1) if out else np.empty((at.size, 0))
