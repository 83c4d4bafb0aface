"""Predicted random effects and residuals of a fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.growth.mixed_model.fit import MixedModelFit


@dataclass(frozen=True, eq=False)
class Predicted:
    """Best linear unbiased predictions.

    Parameters
    ----------
    fitted
        (n,) fixed and random effects together.
    residuals
        (n,) what is left.
    patients
        (P, q) random effects of patients.
    lesions
        (L,) random effects of lesions; zeros where they have none.
    """

    fitted: NDArray[np.float64]
    residuals: NDArray[np.float64]
    patients: NDArray[np.float64]
    lesions: NDArray[np.float64]


def predicted(fit: MixedModelFit) -> Predicted:
    """Predict ``u = Σ Z_pᵀ V⁻¹ (y − X β)`` and ``v = σ_l² Z_lᵀ V⁻¹ (y − X β)``."""
    deviance = fit.deviance()
    moments = deviance.moments(fit.theta)
    rest = np.append(-(fit.basis @ fit.beta) / fit.scale, 1.0)
    factor = fit.layout.factor(fit.theta)
    patients = fit.scale * (moments.patient_products @ rest) @ (factor @ factor.T)
    lesions = fit.scale * fit.layout.lesion(fit.theta) ** 2 * (moments.lesion_products @ rest)
    groups = fit.groups
    random = np.einsum("nq,nq->n", groups.effects, patients[groups.patient_of_row]) + lesions[groups.lesion_of_row]
    fitted = fit.design @ fit.beta + random
    return Predicted(fitted, fit.response - fitted, patients, lesions)
