"""Every model of the reference cohort against lme4, lmerTest and pbkrtest."""

import json

import numpy as np
import pandas as pd
import pytest

from napari_msqsm.growth.cleaning import NO_RIM, RIM
from napari_msqsm.growth.model import ModelChoice, fit_growth

MODELS = {
    "qsm_primary_deg8": ModelChoice(time="octile-poly"),
    "qsm_full_deg8": ModelChoice(
        time="octile-poly",
        covariates=("volume_bl_mm3", "patient_age_y", "edss", "disease_duration_y", "treatment_duration_y"),
    ),
    "qsm_paper_patient_only_deg8": ModelChoice(time="octile-poly", random="patient"),
    "qsm_deg3": ModelChoice(time="octile-poly", degree=3),
    "vol_paper_deg3": ModelChoice("volume_mm3", "octile-poly", 3, (), "patient"),
    "vol_nested_deg3": ModelChoice("volume_mm3", "octile-poly", 3, ()),
    "qsm_slope_deg3": ModelChoice(time="octile-poly", degree=3, random="patient-slope/lesion"),
    "qsm_dvol_deg8": ModelChoice(time="octile-poly", covariates=("edss", "dvolume_mm3*rim")),
}


def name_of(theirs):
    """lme4's name of a coefficient in ours."""
    return ":".join(
        sorted((part.replace("rimm", "rim-") for part in theirs.split(":")), key=lambda part: part == "rim-")
    )


def reference(shared_data, name):
    return json.loads((shared_data / "growth" / f"cohort_public{name}.json").read_text())


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
@pytest.mark.parametrize("name", MODELS)
def test_model(shared_data, name, df):
    expected = reference(shared_data, ".lme4")["models"][name]
    key = df.replace("-", "_")
    coefficients = {name_of(n): c[key] for n, c in expected["coefficients"].items() if (c.get(key) or {}).get("se")}
    if not coefficients:
        pytest.skip(f"the reference has no {df} for {name}")
    table = pd.read_csv(shared_data / "growth" / "cohort_public.csv")
    choice = MODELS[name]
    model = fit_growth(
        table, ModelChoice(choice.outcome, choice.time, choice.degree, choice.covariates, choice.random, df)
    )
    assert model.fit.loglik == pytest.approx(expected["reml"]["logLik"], abs=1e-6)
    assert model.fit_ml.loglik == pytest.approx(expected["ml"]["logLik"], abs=1e-6)
    assert model.fit_ml.aic == pytest.approx(expected["ml"]["AIC"], abs=1e-5)
    assert model.fit_ml.bic == pytest.approx(expected["ml"]["BIC"], abs=1e-5)
    assert model.fit.singular == expected["reml"]["singular"]
    assert set(model.fit.names) == set(coefficients)
    for effect, found in zip(model.fit.names, model.inference.fixed_effects(), strict=True):
        wanted = coefficients[effect]
        assert found.estimate == pytest.approx(wanted["estimate"], abs=1e-5 * wanted["se"])
        assert found.se == pytest.approx(wanted["se"], rel=1e-5)
        assert found.df == pytest.approx(wanted["df"], rel=1e-4)
    for mean in model.means():
        wanted = expected["group_means"][mean.rim][f"{mean.age_y:.1f}"].get(key)
        if wanted and wanted.get("se"):
            assert mean.estimate.estimate == pytest.approx(wanted["estimate"], abs=1e-5 * wanted["se"])
            assert mean.estimate.df == pytest.approx(wanted["df"], rel=1e-4)
            assert mean.estimate.lower == pytest.approx(wanted["lo"], abs=1e-4 * wanted["se"])
    for difference in model.differences():
        wanted = expected["contrasts_rimpos_minus_rimneg"][f"{difference.age_y:.1f}"].get(key)
        if wanted and wanted.get("se"):
            assert difference.estimate.p == pytest.approx(wanted["p"], rel=1e-3, abs=1e-12)


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
@pytest.mark.parametrize("name", MODELS)
def test_tests_of_several_contrasts(shared_data, name, df):
    expected = reference(shared_data, ".lme4")["models"][name]["F_tests"]
    table = pd.read_csv(shared_data / "growth" / "cohort_public.csv")
    choice = MODELS[name]
    model = fit_growth(
        table, ModelChoice(choice.outcome, choice.time, choice.degree, choice.covariates, choice.random, df)
    )
    names = model.fit.names
    time = model.design.basis.names

    def rows(wanted):
        return np.eye(len(names))[[names.index(each) for each in wanted]]

    tests = {
        "time_by_rim": rows([f"{each}:rim-" for each in time]),
        "rim_and_time_by_rim": rows(["rim-", *(f"{each}:rim-" for each in time)]),
        "time_at_rimpos": rows(time),
    }
    key = {"satterthwaite": "Satterthwaite", "kenward-roger": "Kenward-Roger"}[df]
    compared = 0
    for test, contrasts in tests.items():
        wanted = expected[test].get(key)
        if wanted is None:
            continue
        found = model.inference.f_test(contrasts)
        compared += 1
        assert found.numerator_df == wanted["numdf"]
        assert found.f == pytest.approx(wanted["F"], rel=1e-5)
        assert found.denominator_df == pytest.approx(wanted["dendf"], rel=1e-4)
    if not compared:
        pytest.skip(f"the reference has no {df} for {name}")


@pytest.mark.parametrize(("name", "random"), [("patient_only", "patient"), ("nested", "patient/lesion")])
@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_bins(shared_data, name, random, df):
    expected = reference(shared_data, ".binned.lme4")
    table = pd.read_csv(shared_data / "growth" / "cohort_public.csv")
    model = fit_growth(table, ModelChoice(time="octile-bins", random=random, df=df))
    assert model.design.basis.knots_y == pytest.approx(expected["octile_breaks"])
    wanted = expected[name]
    assert model.fit.loglik == pytest.approx(wanted["REML_logLik"], abs=1e-6)
    se, degrees = ("kr_se", "kr_df") if df == "kenward-roger" else ("se", "df")
    found = dict(zip(model.fit.names, model.inference.fixed_effects(), strict=True))
    for theirs, each in wanted["coefficients"].items():
        ours = found[name_of(theirs)]
        assert ours.estimate == pytest.approx(each["estimate"], abs=1e-5 * each["se"])
        assert ours.se == pytest.approx(each[se], rel=1e-5)
        assert ours.df == pytest.approx(each[degrees], rel=1e-4)
    means = {(mean.rim, str(mean.bin)): mean.estimate for mean in model.means()}
    for rim in (RIM, NO_RIM):
        for number, each in wanted["group_means_by_bin"][rim].items():
            assert means[rim, number].estimate == pytest.approx(each["estimate"], abs=1e-5 * each["se"])
