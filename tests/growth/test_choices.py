"""Choices of a growth model: words as covariates, logarithm, reduction."""

import itertools

import numpy as np
import pandas as pd
import pytest

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.growth.group_tests import group_tests
from napari_msqsm.growth.influence import influences
from napari_msqsm.growth.ladder import ladder
from napari_msqsm.growth.model import ModelChoice, fit_growth
from napari_msqsm.growth.random_effects import predicted
from napari_msqsm.growth.reduction import reduced
from napari_msqsm.phantom.cohort import CohortDesign, simulated_cohort


@pytest.fixture
def table():
    rng = np.random.default_rng(5)
    rows = simulated_cohort(CohortDesign(n_patients=24), rng)
    rows["scanner"] = rng.choice(["Prisma", "Skyra", "Signa"], len(rows))
    rows["chi_ppb"] += 6.0 * (rows["scanner"] == "Signa") + 2.0 * rows["edss"]
    rows["noise"] = rng.standard_normal(len(rows))
    rows["volume_mm3"] = rows["volume_bl_mm3"] * np.exp(-0.1 * rows["lesion_age_y"])
    return rows


def test_words_become_columns_and_their_effect_is_found(table):
    model = fit_growth(table, ModelChoice(covariates=("scanner", "edss")))
    effects = dict(zip(model.fit.names, model.inference.fixed_effects(), strict=True))
    assert {"scanner[Signa]", "scanner[Skyra]"} <= set(effects)
    assert "scanner[Prisma]" not in effects
    assert effects["scanner[Signa]"].lower < 6.0 < effects["scanner[Signa]"].upper
    assert model.design.means["scanner[Signa]"] == pytest.approx((table["scanner"] == "Signa").mean())


def test_the_reference_level_does_not_matter(table):
    renamed = table.assign(scanner=table["scanner"].map({"Prisma": "z", "Skyra": "y", "Signa": "a"}))
    one, other = (fit_growth(each, ModelChoice(covariates=("scanner",))) for each in (table, renamed))
    assert one.fit.loglik == pytest.approx(other.fit.loglik, abs=1e-6)
    for a, b in zip(one.means(), other.means(), strict=True):
        assert a.estimate.estimate == pytest.approx(b.estimate.estimate, abs=1e-6)


def test_identifiers_are_no_covariate(table):
    with pytest.raises(InputError, match="different words"):
        fit_growth(table, ModelChoice(covariates=("lesion_id",)))


def test_logarithm(table):
    logged = fit_growth(table, ModelChoice("volume_mm3", "poly", 1, (), log=True))
    by_hand = fit_growth(table.assign(v=np.log(table["volume_mm3"])), ModelChoice("v", "poly", 1, ()))
    assert logged.fit.beta == pytest.approx(by_hand.fit.beta, rel=1e-9)
    assert logged.formula.startswith("log(volume_mm3) ~")
    with pytest.raises(InputError, match="no logarithm"):
        fit_growth(table.assign(volume_mm3=0.0), ModelChoice("volume_mm3", covariates=(), log=True))


def test_reduction_leaves_what_matters_and_tells_the_way(table):
    found = reduced(table, ModelChoice(covariates=("noise", "scanner", "edss*rim", "volume_bl_mm3")))
    assert "scanner" in found.model.choice.covariates
    left = [step.covariate for step in found.steps]
    assert "noise" in left or "volume_bl_mm3" in left
    assert all(step.p > 0.05 for step in found.steps)
    assert set(left) | set(found.model.choice.covariates) == {"noise", "scanner", "edss*rim", "volume_bl_mm3"}


def test_all_models_of_a_reduction_are_of_the_same_rows(table):
    table.loc[table.index[:10], "noise"] = np.nan
    found = reduced(table, ModelChoice(covariates=("noise",)))
    assert found.model.fit.n_rows == len(table) - 10
    assert found.model.table.dropped == {"noise is missing": 10}


def test_ladder_climbs_to_the_model_itself(table):
    model = fit_growth(table, ModelChoice())
    rungs = ladder(model)
    assert [rung.name for rung in rungs] == ["constant", "+ covariates", "+ time", "+ group", "+ time × group"]
    assert rungs[-1].loglik == pytest.approx(model.fit_ml.loglik, abs=1e-6)
    assert rungs[-1].aic == pytest.approx(model.fit_ml.aic, abs=1e-6)
    assert all(a.loglik <= b.loglik + 1e-7 for a, b in itertools.pairwise(rungs))
    assert rungs[2].p < 1e-6


def test_group_tests_of_a_spline_and_of_bins(table):
    spline = group_tests(fit_growth(table, ModelChoice()))
    assert spline.paper == {}
    assert set(spline.at_ages) == {0.0, 0.5, 1.0, 2.0, 4.0}
    assert spline.average is not None
    bins = group_tests(fit_growth(table, ModelChoice(time="octile-bins")))
    assert set(bins.paper) == {"height", "linear", "cubic"}
    assert bins.at_ages == {}
    assert bins.overall.numerator_df == 9
    assert group_tests(fit_growth(table[table["rim"] == "rim+"], ModelChoice())) is None


def test_patient_that_was_moved_is_the_most_influential(table):
    table.loc[table["patient_id"] == "007", "chi_ppb"] += 60.0 * table["lesion_age_y"] / 6
    found = influences(fit_growth(table, ModelChoice()))
    assert found[0].patient_id == "007"
    assert len(found) == 24
    assert found[0].n_rows == int((table["patient_id"] == "007").sum())


@pytest.mark.parametrize("random", ["patient/lesion", "patient", "patient-slope/lesion"])
def test_predictions_equal_the_dense_ones(random, table):
    fit = fit_growth(table, ModelChoice(random=random)).fit
    groups = fit.groups
    same = (groups.lesion_of_row[:, None] == np.arange(groups.n_lesions)).astype(float)
    person = groups.patient_of_row[:, None] == groups.patient_of_row
    v = fit.sigma**2 * np.eye(fit.n_rows) + fit.lesion_variance * same @ same.T
    v += person * (groups.effects @ fit.patient_covariance @ groups.effects.T)
    pull = np.linalg.solve(v, fit.response - fit.design @ fit.beta)
    found = predicted(fit)
    assert found.lesions == pytest.approx(fit.lesion_variance * same.T @ pull, abs=1e-9)
    for patient in range(groups.n_patients):
        rows = groups.patient_of_row == patient
        expected = fit.patient_covariance @ groups.effects[rows].T @ pull[rows]
        assert found.patients[patient] == pytest.approx(expected, abs=1e-9)
    assert found.fitted + found.residuals == pytest.approx(fit.response)


def test_refusals(table):
    with pytest.raises(ParameterError, match="no time basis"):
        fit_growth(table, ModelChoice(time="fourier"))
    with pytest.raises(ParameterError, match="no random effects"):
        fit_growth(table, ModelChoice(random="session"))  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="degree"):
        fit_growth(table, ModelChoice(degree=0))
    with pytest.raises(InputError, match="one patient"):
        fit_growth(pd.DataFrame(table[table["patient_id"] == "001"]), ModelChoice(degree=1, covariates=()))
