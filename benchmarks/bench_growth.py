"""Growth curves: seconds against the size of the table, bootstrap refits, coverage of intervals of fitted means."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_msqsm.growth.bootstrap import parametric
from napari_msqsm.growth.cleaning import NO_RIM, RIM
from napari_msqsm.growth.design import Covariate, Design
from napari_msqsm.growth.mixed_model.fit import fit_mixed_model
from napari_msqsm.growth.mixed_model.groups import Groups
from napari_msqsm.growth.mixed_model.satterthwaite import Satterthwaite
from napari_msqsm.growth.model import ModelChoice, fit_growth
from napari_msqsm.growth.time_basis.methods import TIME_BASES
from napari_msqsm.phantom.cohort import CohortDesign, simulated_cohort
from napari_msqsm.workflow.growth.power import power_of

LMER_S = {165: 0.032, 5_000: 0.192, 20_000: 0.829}
"""Seconds of lme4's lmer, one thread, on tables of this many rows (18 fixed effects and two covariates)."""
N_COHORTS = 2_000


def table_of(n_rows: int) -> Any:
    design = CohortDesign(n_patients=max(19, n_rows // 8))
    return simulated_cohort(design, np.random.default_rng(n_rows)).head(n_rows)


@pytest.mark.parametrize("n_rows", LMER_S)
def bench_fit(benchmark: Any, n_rows: int) -> None:
    """The model of degree 8 from sorted rows to standard errors; with degrees of freedom noted beside."""
    table = table_of(n_rows)
    basis = TIME_BASES["octile-poly"](table["lesion_age_y"].to_numpy(), 8)
    design = Design.of(table, basis, [Covariate("volume_bl_mm3"), Covariate("edss")])
    y, patient, lesion = (table[name].to_numpy() for name in ("chi_ppb", "patient_id", "lesion_id"))

    def fit() -> Any:
        return fit_mixed_model(y, design.matrix, design.names, Groups.of(patient, lesion))

    found = benchmark(fit)
    seconds = float(benchmark.stats.stats.min)
    benchmark.extra_info |= {
        "rows": len(table),
        "evaluations": found.n_evaluations,
        "converged": found.converged,
        "loglik": round(found.loglik, 6),
        "times_lmer": round(seconds / LMER_S[n_rows], 3),
    }
    assert found.converged


@pytest.mark.parametrize("n_rows", LMER_S)
def bench_degrees_of_freedom(benchmark: Any, n_rows: int) -> None:
    table = table_of(n_rows)
    model = fit_growth(table, ModelChoice(time="octile-poly"))
    degrees = benchmark(lambda: Satterthwaite(model.fit).degrees(np.eye(len(model.fit.names))))
    benchmark.extra_info["smallest_df"] = round(float(degrees.min()), 1)


def bench_bootstrap(benchmark: Any) -> None:
    """1,000 parametric refits at the size of the paper's cohort."""
    model = fit_growth(table_of(165), ModelChoice())
    found = benchmark.pedantic(parametric, args=(model, 1_000), rounds=1)
    benchmark.extra_info |= {"samples": found.n_samples, "failed": found.n_failed}
    assert found.n_samples > 990


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def bench_coverage(benchmark: Any, df: str) -> None:
    """How often 95 % intervals of fitted means hold the truth: cohorts of the paper's size, the default curve."""
    design, ages = CohortDesign(), np.arange(0.0, 5.6, 0.5)
    held: dict[str, list[float]] = {RIM: [], NO_RIM: []}

    def run() -> None:
        rng = np.random.default_rng(20_260_101)
        for _ in range(N_COHORTS):
            model = fit_growth(simulated_cohort(design, rng), ModelChoice(covariates=(), df=df))  # type: ignore[arg-type]
            for rim in model.groups:
                found = model.inference.estimates(model.rows_at(ages, rim))
                truth = design.mean(rim, ages)
                inside = [each.lower <= true <= each.upper for each, true in zip(found, truth, strict=True)]
                held[rim].append(float(np.mean(inside)))

    benchmark.pedantic(run, rounds=1)
    benchmark.extra_info |= {f"coverage {rim}": round(float(np.mean(values)), 4) for rim, values in held.items()}
    benchmark.extra_info["cohorts"] = N_COHORTS


@pytest.mark.parametrize("effect", [0.0, 0.5, 1.0])
def bench_power(benchmark: Any, effect: float) -> None:
    """Rate of significant tests without a difference (5 % is wanted), with half of the paper's, and with all of it."""
    found = benchmark.pedantic(power_of, args=(CohortDesign(effect=effect),), kwargs={"n_samples": 1_000}, rounds=1)
    benchmark.extra_info |= {"power": found.power, "interval": [round(found.lower, 3), round(found.upper, 3)]}
