"""Deviance (−2 log-likelihood) of a mixed model and its exact slopes.

Profiled over β and σ² for the fit; with σ as a variable of its own for the degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.growth.mixed_model.moments import Moments, Sums
    from napari_msqsm.growth.mixed_model.variances import Layout


@dataclass(frozen=True, eq=False)
class Solved:
    """Generalised least squares at one θ.

    Parameters
    ----------
    beta
        (k,) in the orthonormal basis.
    cov
        (k, k) ``(Qᵀ V⁻¹ Q)⁻¹``, to be multiplied by σ².
    rss
        Weighted residual sum of squares.
    log_det_information
        ``log det Qᵀ V⁻¹ Q``.
    inverse_root
        (k, k) lower triangle with ``cov = inverse_rootᵀ @ inverse_root``.
    """

    beta: NDArray[np.float64]
    cov: NDArray[np.float64]
    rss: float
    log_det_information: float
    inverse_root: NDArray[np.float64]


class Deviance:
    """Deviance as a function of θ.

    Parameters
    ----------
    sums
        Of ``[Q y]``.
    n_rows
        Number of observations.
    layout
        Meaning of θ.
    log_det_basis
        ``log |det R|`` of the basis: ``X = Q R``.
    reml
        Restricted likelihood (True) or full likelihood.
    """

    def __init__(self, sums: Sums, n_rows: int, layout: Layout, log_det_basis: float, *, reml: bool) -> None:
        self._sums, self._layout = sums, layout
        self._log_det_basis, self.reml = log_det_basis, reml
        self._n_rows = n_rows

    def moments(self, theta: NDArray[np.float64]) -> Moments:
        """Products with V⁻¹ at θ."""
        return self._sums.at(self._layout.lesion(theta) ** 2, self._layout.factor(theta))

    def degrees(self, k: int) -> int:
        """Divisor of σ²: rows less fixed effects for REML."""
        return self._n_rows - k if self.reml else self._n_rows

    def profiled(self, theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Deviance with β and σ² at their best, and its slopes after θ_l² and each entry of θ."""
        moments = self.moments(theta)
        solved = solve(moments)
        degrees = self.degrees(solved.beta.size)
        value = moments.log_det + degrees * (1.0 + np.log(2.0 * np.pi * solved.rss / degrees))
        if self.reml:
            value += solved.log_det_information + 2.0 * self._log_det_basis
        lesion, patient = self._slopes(moments, solved, solved.rss / degrees)
        slopes = [a * lesion + float(np.sum(s * patient)) for a, s in self._layout.slopes(theta)]
        return float(value), np.array(slopes)

    def full(self, theta: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
        """Slopes of the deviance, with σ as a variable, after θ and σ."""
        moments = self.moments(theta)
        solved = solve(moments)
        lesion, patient = self._slopes(moments, solved, sigma**2)
        slopes = [a * lesion + float(np.sum(s * patient)) for a, s in self._layout.slopes(theta)]
        degrees = self.degrees(solved.beta.size)
        return np.array([*slopes, 2.0 * degrees / sigma - 2.0 * solved.rss / sigma**3])

    def variance_slopes(self, theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Slopes of the profiled deviance after θ_l² and after Σ, as a number and a (q, q) matrix."""
        moments = self.moments(theta)
        solved = solve(moments)
        lesion, patient = self._slopes(moments, solved, solved.rss / self.degrees(solved.beta.size))
        return np.array(lesion), patient

    def _slopes(self, moments: Moments, solved: Solved, variance: float) -> tuple[float, NDArray[np.float64]]:
        k = solved.beta.size
        residual = np.append(-solved.beta, 1.0)
        of_lesion = moments.lesion_products @ residual
        of_patient = moments.patient_products @ residual
        lesion = moments.lesion_trace - float(of_lesion @ of_lesion) / variance
        patient = moments.patient_traces - np.einsum("pi,pj->ij", of_patient, of_patient) / variance
        if self.reml:
            by_lesion = moments.lesion_products[:, :k] @ solved.inverse_root.T
            by_patient = moments.patient_products[:, :, :k] @ solved.inverse_root.T
            lesion -= float(np.sum(by_lesion**2))
            patient = patient - np.tensordot(by_patient, by_patient, axes=([0, 2], [0, 2]))
        return lesion, patient


def solve(moments: Moments) -> Solved:
    """Best β in the orthonormal basis for given V."""
    k = moments.products.shape[0] - 1
    root = linalg.cholesky(moments.products[:k, :k], lower=True, check_finite=False)
    right = linalg.solve_triangular(root, moments.products[:k, k], lower=True, check_finite=False)
    inverse = linalg.solve_triangular(root, np.eye(k), lower=True, check_finite=False)
    rss = float(moments.products[k, k] - right @ right)
    return Solved(inverse.T @ right, inverse.T @ inverse, rss, 2.0 * float(np.log(np.diag(root)).sum()), inverse)
