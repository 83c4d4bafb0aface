"""What a fit writes: the record, tables, figures, a page that stands on its own, and a script for R."""

import json
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from napari_msqsm.errors import CancelledError, InputError
from napari_msqsm.growth.model import ModelChoice
from napari_msqsm.workflow.growth.fitting import fit_table
from napari_msqsm.workflow.growth.record import as_record
from napari_msqsm.workflow.growth.report import numbers_html
from napari_msqsm.workflow.growth.writing import write_growth

_MODEL = {"formula", "outcome", "time", "degree", "random", "covariates"}
_KEYS = {
    "model", "n_obs", "n_patients", "n_lesions", "loglik_reml", "loglik_ml", "aic", "bic", "variance_components",
    "converged", "singular", "identified", "dropped_columns", "dropped_rows", "warnings", "fixed_effects",
    "group_means", "contrasts", "peak", "decay_onset",
}  # fmt: skip
_ESTIMATE = {"estimate", "se", "df", "lower", "upper"}


def cohort(seed=0, n_patients=14):
    """Lesions that rise and, without a rim, fall."""
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(n_patients):
        own = rng.normal(0, 2)
        for lesion in range(2):
            rim = (patient + lesion) % 2 == 0
            ages = np.concatenate([[0.0], np.sort(rng.uniform(0.2, 6, 5))])
            curve = 8 + 18 * (1 - np.exp(-ages / 0.5)) - (0.0 if rim else 2.5) * np.maximum(ages - 1.5, 0)
            chi = curve + own + rng.normal(0, 1.5) + rng.normal(0, 3, ages.size)
            rows += [
                {
                    "patient_id": f"{patient:02d}", "lesion_id": f"L{lesion}", "session_id": f"s{k}",
                    "lesion_age_y": age, "chi_ppb": value, "rim": "rim+" if rim else "rim-",
                    "volume_bl_mm3": 900.0 if rim else 300.0 + 10 * lesion, "edss": 1.0 + patient % 4 / 2,
                    "volume_mm3": 800.0 - 20 * age, "enhancement": "shell" if rim else "nodular",
                    "central_vein": lesion,
                    "rim_at_session": "rim+" if rim else "rim-", "sex": "F", "patient_age_y": 30.0 + patient,
                }
                for k, (age, value) in enumerate(zip(ages, chi, strict=True))
            ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def result():
    return fit_table(cohort(), ModelChoice(), bootstrap=8)


def test_record_has_the_agreed_keys_and_plain_values(result):
    record = as_record(result)
    assert set(record) >= _KEYS
    assert set(record["model"]) >= _MODEL
    assert set(record["variance_components"]) == {"patient", "lesion", "residual"}
    assert set(record["fixed_effects"][0]) == {"name", "t", "p"} | _ESTIMATE
    assert set(record["group_means"][0]) == {"rim", "age_y", "bin"} | _ESTIMATE
    assert set(record["contrasts"][0]) == {"age_y", "bin", "p"} | _ESTIMATE
    assert [row["name"] for row in record["fixed_effects"]][:3] == ["(Intercept)", "ot1", "ot2"]
    assert {"rim-", "ot1:rim-"} <= {row["name"] for row in record["fixed_effects"]}
    assert set(record["peak"]["rim+"]) == {"age_y", "lower", "upper", "method"}
    assert "bootstrap, 8 samples" in record["peak"]["rim-"]["method"]
    json.dumps(record, allow_nan=False)


def test_means_are_given_every_half_year_and_in_bins(result):
    record = as_record(result)
    ages = [row["age_y"] for row in record["group_means"] if row["rim"] == "rim+"]
    assert ages == pytest.approx(np.arange(0, result.model.largest_age_y, 0.5))
    binned = as_record(fit_table(cohort(), ModelChoice(time="octile-bins")))
    assert [row["bin"] for row in binned["contrasts"]] == list(range(9))


def test_files(result, tmp_path):
    files = write_growth(tmp_path / "growth", result, source=None)
    assert {path.name for path in (tmp_path / "growth").iterdir()} == {path.name for path in files.values()}
    page = files["report"].read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    for forbidden in ("<script", "http://cdn", "https://cdn", "src="):
        assert forbidden not in page
    fixed = pd.read_csv(files["fixed_effects"], sep="\t")
    assert fixed["estimate"].to_numpy() == pytest.approx(result.model.fit.beta)
    written = json.loads(files["model"].read_text())
    assert written["loglik_reml"] == result.model.fit.loglik
    write_growth(tmp_path / "growth", result, source=None, figures=False)
    assert not files["report"].exists()
    assert files["model"].exists()


def test_rows_for_r_hold_the_basis(result, tmp_path):
    files = write_growth(tmp_path, result, source=None, figures=False)
    rows = pd.read_csv(files["rows"], dtype={"patient_id": str})
    columns = rows[list(result.model.design.basis.names)].to_numpy()
    assert columns == pytest.approx(result.model.design.basis.evaluate(rows["lesion_age_y"].to_numpy()))
    assert rows["rimm"].tolist() == [int(rim == "rim-") for rim in result.model.table.rows["rim"]]
    text = files["R script"].read_text()
    assert "lmer(chi_ppb ~ 1 + ot1" in text
    assert "(1 | patient_id/lesion_id)" in text


@pytest.mark.parametrize("random", ["patient/lesion", "patient", "patient-slope/lesion"])
def test_r_agrees(random, tmp_path):
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("R is not installed")
    asked = [rscript, "-e", "library(lme4); library(lmerTest)"]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("R has no lme4 and lmerTest")
    found = fit_table(cohort(), ModelChoice(random=random))
    files = write_growth(tmp_path, found, source=None, figures=False)
    subprocess.run([rscript, str(files["R script"].name)], cwd=tmp_path, check=True, capture_output=True)
    theirs = pd.read_csv(tmp_path / "model_R.csv")
    ours = found.model.inference.fixed_effects()
    assert theirs["estimate"].to_numpy() == pytest.approx([each.estimate for each in ours], rel=1e-4, abs=1e-4)
    assert theirs["se"].to_numpy() == pytest.approx([each.se for each in ours], rel=1e-4)
    assert theirs["df"].to_numpy() == pytest.approx([each.df for each in ours], rel=1e-3)


def test_one_group_one_lesion_each_and_saturation_are_told():
    table = cohort()
    one = fit_table(table[table["rim"] == "rim+"], ModelChoice())
    assert as_record(one)["contrasts"] == []
    assert any("no groups" in sentence for sentence in one.model.warnings)
    assert any("one lesion" in sentence for sentence in one.model.warnings)
    few = fit_table(table[table["patient_id"] < "02"], ModelChoice(time="octile-bins"))
    assert not few.model.identified
    assert any("cannot be told" in sentence for sentence in few.model.warnings)


def test_cancelled_and_refused():
    import threading

    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        fit_table(cohort(), ModelChoice(), cancel=stop)
    with pytest.raises(InputError, match="one patient"):
        fit_table(cohort(n_patients=1), ModelChoice(degree=1, covariates=()))


def test_html_of_a_table_is_escaped(tmp_path):
    table = cohort().rename(columns={"edss": "<b>edss"})
    found = fit_table(table, ModelChoice(covariates=("<b>edss",)))
    page = write_growth(tmp_path, found, source=None)["report"].read_text(encoding="utf-8")
    assert "<b>edss" not in page


def test_report_tells_the_agreement_of_two_raters():
    table = cohort()
    assert "Agreement" not in numbers_html(fit_table(table, ModelChoice()))
    first = (table["rim"] == "rim+").astype(float)
    second = first.where(table["lesion_id"] + table["patient_id"] != "L000", 1 - first)
    page = numbers_html(fit_table(table.assign(rim_rater1=first, rim_rater2=second), ModelChoice()))
    assert "Agreement on the rim" in page
    assert "<td>28</td><td>13</td><td>1</td><td>0</td><td>14</td>" in page
