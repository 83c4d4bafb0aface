"""Estimates, standard errors, degrees of freedom and intervals of contrasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from napari_msqsm.growth.distributions import t_half_width, t_two_sided_p
from napari_msqsm.growth.mixed_model.kenward_roger import KenwardRoger
from napari_msqsm.growth.mixed_model.satterthwaite import Satterthwaite

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.growth.mixed_model.f_test import FTest
    from napari_msqsm.growth.mixed_model.fit import MixedModelFit

DegreesMethod = Literal["satterthwaite", "kenward-roger"]


class Degrees(Protocol):
    """A method for degrees of freedom."""

    def cov(self) -> NDArray[np.float64]:
        """(k, k) covariance of the fixed effects."""

    def degrees(self, contrasts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Degrees of freedom of (m, k) contrasts."""

    def f_test(self, contrasts: NDArray[np.float64]) -> FTest:
        """Test contrasts together."""


@dataclass(frozen=True)
class Estimate:
    """One estimate with its t test and 95 % interval."""

    estimate: float
    se: float
    df: float
    t: float
    p: float
    lower: float
    upper: float


class Inference:
    """Inference on the fixed effects of a fit.

    Parameters
    ----------
    fit
        By REML.
    method
        ``satterthwaite`` or ``kenward-roger``.
    """

    def __init__(self, fit: MixedModelFit, method: DegreesMethod = "satterthwaite") -> None:
        self.fit, self.method = fit, method
        self._degrees: Degrees = KenwardRoger(fit) if method == "kenward-roger" else Satterthwaite(fit)
        self.cov = self._degrees.cov()

    def fixed_effects(self) -> tuple[Estimate, ...]:
        """Every fixed effect."""
        return self.estimates(np.eye(len(self.fit.names)))

    def estimates(self, contrasts: NDArray[np.float64]) -> tuple[Estimate, ...]:
        """Each of (m, k) contrasts of the fixed effects that were kept."""
        values = contrasts @ self.fit.beta
        se = np.sqrt(np.maximum(np.einsum("mi,ij,mj->m", contrasts, self.cov, contrasts), 0.0))
        return tuple(
            _estimate(float(value), float(error), float(df))
            for value, error, df in zip(values, se, self._degrees.degrees(contrasts), strict=True)
        )

    def f_test(self, contrasts: NDArray[np.float64]) -> FTest:
        """Test contrasts together."""
        return self._degrees.f_test(contrasts)


def _estimate(value: float, se: float, df: float) -> Estimate:
    t = value / se if se > 0 else float("nan")
    half = float(t_half_width(df)) * se
    return Estimate(value, se, df, t, t_two_sided_p(t, df), value - half, value + half)
