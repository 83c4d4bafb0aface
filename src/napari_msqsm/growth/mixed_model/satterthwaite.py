"""Degrees of freedom after Satterthwaite, as lmerTest has them.

For a contrast L the variance ``v = L C Lᵀ`` depends on the variance parameters (θ, σ). With their asymptotic covariance
``A = 2 H⁻¹`` (H: Hessian of the deviance) and the slopes g of v, ``df = 2 v² / (gᵀ A g)``.
Kuznetsova A et al., J Stat Softw 2017;82(13) (doi 10.18637/jss.v082.i13).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

from napari_msqsm.growth.mixed_model.deviance import solve
from napari_msqsm.growth.mixed_model.f_test import FTest
from napari_msqsm.growth.mixed_model.optimise import hessian_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.growth.mixed_model.fit import MixedModelFit

_LEAST_CURVATURE = 1e-8
"""Directions in which the deviance is flat carry no variance (lmerTest drops them too)."""


class Satterthwaite:
    """Variances and degrees of freedom of contrasts of one fit.

    Parameters
    ----------
    fit
        The fit.
    """

    def __init__(self, fit: MixedModelFit) -> None:
        self._fit = fit
        deviance, k = fit.deviance(), len(fit.names)
        at = np.append(fit.theta, fit.sigma / fit.scale)
        hessian = hessian_of(lambda point: deviance.full(point[:-1], float(point[-1])), at)
        curvature, directions = np.linalg.eigh(hessian)
        steep = curvature > _LEAST_CURVATURE
        self._parameters = 2.0 * (directions[:, steep] / curvature[steep]) @ directions[:, steep].T
        moments = deviance.moments(fit.theta)
        solved, sigma = solve(moments), float(at[-1])
        of_lesion = moments.lesion_products[:, :k]
        of_patient = moments.patient_products[:, :, :k]
        slopes = []
        for lesion, patient in fit.layout.slopes(fit.theta):
            inner = lesion * of_lesion.T @ of_lesion
            inner = inner + np.einsum("pik,ij,pjm->km", of_patient, patient, of_patient)
            slopes.append(sigma**2 * solved.cov @ inner @ solved.cov)
        slopes.append(2.0 * sigma * solved.cov)
        back = fit.scale * linalg.solve_triangular(fit.basis, np.eye(k))
        self._slopes = np.array([back @ slope @ back.T for slope in slopes])

    def cov(self) -> NDArray[np.float64]:
        """(k, k) covariance of the fixed effects."""
        return self._fit.cov

    def degrees(self, contrasts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Degrees of freedom of each of (m, k) contrasts: (m,)."""
        variance = np.einsum("mi,ij,mj->m", contrasts, self._fit.cov, contrasts)
        gradient = np.einsum("mi,sij,mj->ms", contrasts, self._slopes, contrasts)
        spread = np.einsum("ms,st,mt->m", gradient, self._parameters, gradient)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(spread > 0, 2.0 * variance**2 / spread, np.inf)

    def f_test(self, contrasts: NDArray[np.float64]) -> FTest:
        """Test (m, k) contrasts together: m = 1 … rank of them.

        The statistic splits into independent t statistics along the eigenvectors of ``L C Lᵀ``; the denominator's
        degrees of freedom follow from the mean of their squares (Fai AH, Cornelius PL, J Stat Comput Simul
        1996;54:363, doi 10.1080/00949659608811740).
        """
        lengths, directions = np.linalg.eigh(contrasts @ self._fit.cov @ contrasts.T)
        real = lengths > _LEAST_CURVATURE * lengths.max()
        apart = directions[:, real].T @ contrasts
        rank = int(np.count_nonzero(real))
        t = (apart @ self._fit.beta) / np.sqrt(lengths[real])
        return FTest.of(float(t @ t) / rank, rank, _joined(self.degrees(apart)))


def _joined(degrees: NDArray[np.float64]) -> float:
    """Degrees of freedom of a mean of squared t statistics, which has mean ``df / (df − 2)``."""
    if degrees.size == 1 or np.ptp(degrees) < 1e-8 * degrees.max():
        return float(degrees.mean())
    large = degrees[degrees > 2.0]
    mean = float((large / (large - 2.0)).sum()) if large.size else 0.0
    return 2.0 * mean / (mean - degrees.size) if mean > degrees.size else 2.0
