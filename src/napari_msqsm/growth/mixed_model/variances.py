"""Relative standard deviations of the random effects, as the vector that is optimised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.growth.mixed_model.groups import Groups


@dataclass(frozen=True)
class Layout:
    """Which entry of θ is what.

    θ holds the lesion's standard deviation first (where lesions have an effect), then the lower triangle of the
    patient's Λ column by column, all relative to the residual standard deviation.

    Parameters
    ----------
    nested
        Whether lesions have an effect.
    q
        Random effects of a patient: 1 (intercept) or 2 (intercept and slope).
    """

    nested: bool
    q: int

    @classmethod
    def of(cls, groups: Groups) -> Layout:
        """Layout for rows that were sorted."""
        return cls(groups.nested, groups.effects.shape[1])

    @property
    def size(self) -> int:
        """Length of θ."""
        return int(self.nested) + self.q * (self.q + 1) // 2

    @property
    def bounded(self) -> NDArray[np.bool_]:
        """Which entries are standard deviations, at least 0."""
        lower = np.array([row == column for column in range(self.q) for row in range(column, self.q)])
        return np.concatenate([np.ones(int(self.nested), dtype=np.bool_), lower])

    @property
    def squares(self) -> bool:
        """Whether every entry is a standard deviation of its own, so that the squares can be optimised."""
        return self.q == 1

    def start(self) -> NDArray[np.float64]:
        """First guess."""
        return np.where(self.bounded, np.sqrt(0.5), 0.0)

    def lesion(self, theta: NDArray[np.float64]) -> float:
        """Take the relative standard deviation of the lesions; 0 where they have no effect."""
        return float(theta[0]) if self.nested else 0.0

    def factor(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """(q, q) lower triangle Λ of the patients."""
        lower = np.zeros((self.q, self.q))
        entries = iter(theta[int(self.nested) :])
        for column in range(self.q):
            for row in range(column, self.q):
                lower[row, column] = next(entries)
        return lower

    def packed(self, lesion: float, lower: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inverse of `lesion` and `factor`."""
        triangle = [lower[row, column] for column in range(self.q) for row in range(column, self.q)]
        return np.array(([lesion] if self.nested else []) + triangle)

    def slopes(self, theta: NDArray[np.float64]) -> list[tuple[float, NDArray[np.float64]]]:
        """Differentiate θ_l² and Λ Λᵀ after each entry of θ."""
        lower = self.factor(theta)
        out: list[tuple[float, NDArray[np.float64]]] = []
        if self.nested:
            out.append((2.0 * float(theta[0]), np.zeros((self.q, self.q))))
        for column in range(self.q):
            for row in range(column, self.q):
                unit = np.zeros((self.q, self.q))
                unit[row, column] = 1.0
                out.append((0.0, unit @ lower.T + lower @ unit.T))
        return out
