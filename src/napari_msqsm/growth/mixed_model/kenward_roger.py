"""Covariance and degrees of freedom after Kenward and Roger, as pbkrtest has them.

Kenward MG, Roger JH, Biometrics 1997;53:983 (doi 10.2307/2533558); Halekoh U, Højsgaard S, J Stat Softw 2014;59(9)
(doi 10.18637/jss.v059.i09). Sums over patients: no block is larger than the rows of one patient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

from napari_msqsm.growth.mixed_model.f_test import FTest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.growth.mixed_model.fit import MixedModelFit

_SMALLEST = 1e-10
"""Contrasts that others imply, relative to the largest."""


class KenwardRoger:
    """Adjusted covariance and degrees of freedom of contrasts of one REML fit.

    Parameters
    ----------
    fit
        The fit.
    """

    def __init__(self, fit: MixedModelFit) -> None:
        k, groups = len(fit.names), fit.groups
        basis = linalg.solve_triangular(fit.basis.T, fit.design.T, lower=True).T
        directions = _directions(fit)
        r = len(directions)
        first = np.zeros((r, k, k))
        second = np.zeros((r, r, k, k))
        traces = np.zeros((r, r))
        information = np.zeros((k, k))
        order = np.argsort(groups.patient_of_row, kind="stable")
        lesion_variance, patient = fit.lesion_variance, fit.patient_covariance
        for rows in np.split(order, np.cumsum(np.bincount(groups.patient_of_row))[:-1]):
            effects = groups.effects[rows]
            same = (groups.lesion_of_row[rows][:, None] == groups.lesion_of_row[rows][None, :]).astype(np.float64)
            whole = fit.sigma**2 * np.eye(rows.size) + effects @ patient @ effects.T
            whole += lesion_variance * same
            inverse = np.linalg.inv(whole)
            x = basis[rows]
            solved = inverse @ x
            information += x.T @ solved
            parts = [_part(kind, matrix, effects, same) for kind, matrix in directions]
            turned = [part @ inverse for part in parts]
            sides = [part @ solved for part in parts]
            for i in range(r):
                first[i] -= solved.T @ sides[i]
                for j in range(r):
                    second[i, j] += sides[i].T @ inverse @ sides[j]
                    traces[i, j] += float(np.sum(turned[i] * turned[j].T))
        phi = np.linalg.inv(information)
        weighted = np.einsum("ab,ibc->iac", phi, first)
        expected = 0.5 * (
            traces - 2.0 * np.einsum("ab,ijba->ij", phi, second) + np.einsum("iab,jba->ij", weighted, weighted)
        )
        self._weights = np.linalg.pinv(expected, hermitian=True)
        products = second - np.einsum("iab,bc,jcd->ijad", first, phi, first)
        bias = np.einsum("ij,ijab->ab", self._weights, products)
        self._phi, self._first = phi, first
        self._adjusted = phi + 2.0 * phi @ bias @ phi
        self._back = linalg.solve_triangular(fit.basis, np.eye(k))
        self._beta = fit.beta

    def cov(self) -> NDArray[np.float64]:
        """(k, k) adjusted covariance of the fixed effects."""
        return np.asarray(self._back @ self._adjusted @ self._back.T)

    def degrees(self, contrasts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Degrees of freedom of each of (m, k) contrasts: (m,); infinite for one that is zero."""
        return np.array([self._scaled(each[None, :])[1] if each.any() else np.inf for each in contrasts])

    def f_test(self, contrasts: NDArray[np.float64]) -> FTest:
        """Test (m, k) contrasts together, with their F scaled by Kenward and Roger's λ."""
        lengths, directions = np.linalg.eigh(contrasts @ self.cov() @ contrasts.T)
        real = lengths > _SMALLEST * lengths.max()
        apart = directions[:, real].T @ contrasts
        scale, degrees = self._scaled(apart)
        estimate = apart @ self._beta
        rank = apart.shape[0]
        value = float(estimate @ np.linalg.solve(apart @ self.cov() @ apart.T, estimate)) / rank
        return FTest.of(scale * value, rank, degrees)

    def _scaled(self, contrasts: NDArray[np.float64]) -> tuple[float, float]:
        """λ and the denominator's degrees of freedom of full-rank contrasts (l, k)."""
        turned = contrasts @ self._back
        rank = turned.shape[0]
        theta = turned.T @ np.linalg.solve(turned @ self._phi @ turned.T, turned)
        pulled = np.einsum("ab,bc,icd,de->iae", theta, self._phi, self._first, self._phi)
        traces = np.einsum("iaa->i", pulled)
        a1 = float(traces @ self._weights @ traces)
        a2 = float(np.einsum("ij,iab,jba->", self._weights, pulled, pulled))
        return _scale_and_degrees(a1, a2, rank)


def _scale_and_degrees(a1: float, a2: float, rank: int) -> tuple[float, float]:
    """λ and degrees of freedom that give F the mean and the variance of its approximation (Kenward and Roger, §3)."""
    if a2 <= 0.0:
        return 1.0, np.inf
    b = (a1 + 6.0 * a2) / (2.0 * rank)
    g = ((rank + 1.0) * a1 - (rank + 4.0) * a2) / ((rank + 2.0) * a2)
    c = 3.0 * rank + 2.0 * (1.0 - g)
    c1, c2, c3 = g / c, (rank - g) / c, (rank + 2.0 - g) / c
    mean = 1.0 / (1.0 - a2 / rank)
    spread = (2.0 / rank) * (1.0 + c1 * b) / ((1.0 - c2 * b) ** 2 * (1.0 - c3 * b))
    ratio = spread / (2.0 * mean**2)
    degrees = 4.0 + (rank + 2.0) / (rank * ratio - 1.0)
    return degrees / (mean * (degrees - 2.0)), degrees


def _directions(fit: MixedModelFit) -> list[tuple[str, NDArray[np.float64]]]:
    """Variance components: entries of the patient's covariance, the lesion's variance, the residual one."""
    q = fit.layout.q
    out: list[tuple[str, NDArray[np.float64]]] = []
    for column in range(q):
        for row in range(column, q):
            unit = np.zeros((q, q))
            unit[row, column] = unit[column, row] = 1.0
            out.append(("patient", unit))
    if fit.layout.nested:
        out.append(("lesion", np.ones((1, 1))))
    out.append(("residual", np.ones((1, 1))))
    return out


def _part(
    kind: str, matrix: NDArray[np.float64], effects: NDArray[np.float64], same: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Differentiate V of one patient after a variance component."""
    if kind == "patient":
        return effects @ matrix @ effects.T
    return same if kind == "lesion" else np.eye(same.shape[0])
