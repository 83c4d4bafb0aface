"""Products with the inverse of V, by two closed-form steps: lesions within patients, patients within all.

With ``V/σ² = I + a Z_l Z_lᵀ + Z_p Σ Z_pᵀ`` (a = θ_l², Σ = Λ Λᵀ) the inverse of the first two terms is
``W = I − Σ_l a w_l 1 1ᵀ`` with ``w_l = 1 / (1 + a n_l)``, and then ``V⁻¹ = W − W Z K Zᵀ W`` patient by patient with
``K = Λ (I + Λᵀ G Λ)⁻¹ Λᵀ`` and ``G = Zᵀ W Z``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.growth.mixed_model.groups import Groups


@dataclass(frozen=True, eq=False)
class Moments:
    """What is known of V⁻¹ at one θ, for ``M = [Q y]``.

    Parameters
    ----------
    products
        (k + 1, k + 1) ``Mᵀ V⁻¹ M``.
    log_det
        ``log det V``.
    lesion_products
        (L, k + 1) ``1ᵀ V⁻¹ M`` over the rows of each lesion.
    lesion_trace
        Sum over lesions of ``1ᵀ V⁻¹ 1``.
    patient_products
        (P, q, k + 1) ``Zᵀ V⁻¹ M`` of each patient.
    patient_traces
        (q, q) sum over patients of ``Zᵀ V⁻¹ Z``.
    """

    products: NDArray[np.float64]
    log_det: float
    lesion_products: NDArray[np.float64]
    lesion_trace: float
    patient_products: NDArray[np.float64]
    patient_traces: NDArray[np.float64]


class Sums:
    """Sums of ``M``, made once.

    Parameters
    ----------
    matrix
        (n, k + 1) fixed effects in an orthonormal basis, and the response.
    groups
        Its rows, sorted.
    """

    def __init__(self, matrix: NDArray[np.float64], groups: Groups) -> None:
        effects = groups.effects
        self.groups = groups
        self._all = matrix.T @ matrix
        self._lesion = groups.by_lesion(matrix)
        self._lesion_effects = groups.by_lesion(effects)
        squares = np.einsum("ni,nj->nij", effects, effects)
        mixed = np.einsum("ni,nj->nij", effects, matrix)
        self._effects = groups.by_patient(groups.by_lesion(squares))
        self._mixed = groups.by_patient(groups.by_lesion(mixed))

    def at(self, lesion_variance: float, factor: NDArray[np.float64]) -> Moments:
        """Moments for a variance of the lesions and a Λ of the patients, relative to σ²."""
        groups, q = self.groups, factor.shape[0]
        weights = 1.0 / (1.0 + lesion_variance * groups.n_in_lesion)
        shrink = lesion_variance * weights
        taken = groups.by_patient(shrink[:, None, None] * _outer(self._lesion_effects, self._lesion_effects))
        inner = self._effects - taken
        right = self._mixed - groups.by_patient(shrink[:, None, None] * _outer(self._lesion_effects, self._lesion))
        core = np.eye(q) + factor.T @ inner @ factor
        pull = factor @ np.linalg.inv(core) @ factor.T
        drawn = pull @ right
        products = (
            self._all
            - (self._lesion * shrink[:, None]).T @ self._lesion
            - np.tensordot(right, drawn, axes=([0, 1], [0, 1]))
        )
        log_det = float(-np.log(weights).sum() + np.linalg.slogdet(core)[1].sum())
        at = groups.patient_of_lesion
        shared = np.einsum("lq,lqm->lm", self._lesion_effects, drawn[at])
        quadratic = np.einsum("lq,lqr,lr->l", self._lesion_effects, pull[at], self._lesion_effects)
        return Moments(
            products,
            log_det,
            weights[:, None] * (self._lesion - shared),
            float((groups.n_in_lesion * weights - weights**2 * quadratic).sum()),
            right - inner @ drawn,
            (inner - inner @ pull @ inner).sum(axis=0),
        )


def _outer(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    return first[:, :, None] * second[:, None, :]
