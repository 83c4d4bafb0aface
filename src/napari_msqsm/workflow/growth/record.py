"""A fitted growth model as plain values: ``model.json``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_msqsm.growth.inference import Estimate
    from napari_msqsm.growth.peak import Landmark
    from napari_msqsm.workflow.growth.fitting import GrowthResult


def as_record(result: GrowthResult) -> dict[str, Any]:
    """Everything that was fitted, for machines; what is not a number is null."""
    model = result.model
    fit, ml = model.fit, model.fit_ml
    covariance = fit.patient_covariance
    components: dict[str, float] = {
        "patient": float(covariance[0, 0]),
        "lesion": fit.lesion_variance,
        "residual": fit.sigma**2,
    }
    if covariance.shape[0] > 1:
        components |= {"patient_slope": float(covariance[1, 1]), "patient_intercept_slope": float(covariance[0, 1])}
    basis = model.design.basis
    record = {
        "model": {
            "formula": model.formula,
            "outcome": model.choice.outcome,
            "time": basis.name,
            "degree": basis.degree,
            "time_formula": basis.formula,
            "knots_y": list(basis.knots_y),
            "random": model.choice.random,
            "covariates": list(model.choice.covariates),
            "df": model.choice.df,
            "covariate_means": model.design.means,
            "log": model.choice.log,
            "rim_at_onset": model.choice.rim_at_onset,
        },
        "n_obs": fit.n_rows,
        "n_patients": model.n_patients,
        "n_lesions": model.n_lesions,
        "loglik_reml": fit.loglik,
        "loglik_ml": ml.loglik,
        "aic": ml.aic,
        "bic": ml.bic,
        "variance_components": components,
        "converged": fit.converged and ml.converged,
        "singular": fit.singular,
        "identified": model.identified,
        "dropped_columns": list(fit.dropped),
        "dropped_rows": model.table.dropped,
        "warnings": list(model.warnings),
        "fixed_effects": [
            {"name": name, **_estimate(each)}
            for name, each in zip(fit.names, model.inference.fixed_effects(), strict=True)
        ],
        "group_means": [
            {"rim": mean.rim, "age_y": mean.age_y, "bin": mean.bin, **_estimate(mean.estimate, ("t", "p"))}
            for mean in model.means()
        ],
        "contrasts": [
            {"age_y": each.age_y, "bin": each.bin, **_estimate(each.estimate, ("t",))} for each in model.differences()
        ],
        "peak": {rim: _landmark(each) for rim, each in result.peak.items()},
        "decay_onset": {rim: _landmark(each) for rim, each in result.decay_onset.items()},
        "reduction": [{"covariate": step.covariate, "p": step.p} for step in result.reduction],
        "bootstraps": [
            {
                "method": each.method,
                "n_samples": each.n_samples,
                "n_failed": each.n_failed,
                "peak": {rim: _landmark(landmark) for rim, landmark in each.peak.items()},
                "decay_onset": {rim: _landmark(landmark) for rim, landmark in each.decay_onset.items()},
            }
            for each in result.bootstraps
        ],
    }
    return {name: _plain(value) for name, value in record.items()}


def _estimate(estimate: Estimate, left_out: tuple[str, ...] = ()) -> dict[str, float]:
    names = ("estimate", "se", "df", "t", "p", "lower", "upper")
    return {name: getattr(estimate, name) for name in names if name not in left_out}


def _landmark(landmark: Landmark) -> dict[str, Any]:
    return {
        "age_y": landmark.age_y,
        "lower": landmark.lower,
        "upper": landmark.upper,
        "method": landmark.method,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
