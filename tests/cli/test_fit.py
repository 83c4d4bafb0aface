"""``msqsm fit``."""

import json

import numpy as np
import pandas as pd
import pytest

from napari_msqsm.cli import main


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(4)
    rows = [
        {
            "rim": "rim+" if lesion % 2 else "rim-",
            "lesion_age_y": age,
            "chi_ppb": 5 + 8 * np.log1p(age) + 3 * (lesion % 2) * age + rng.normal(0, 2) + patient,
            "lesion_id": f"L{lesion}",
            "patient_id": f"{patient:02d}",
            "note": "not used",
        }
        for patient in range(8)
        for lesion in range(3)
        for age in (0.0, *np.sort(rng.uniform(0.3, 5, 4)))
    ]
    path = tmp_path / "table.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_model_and_json_are_the_same(table, tmp_path, capsys):
    out = tmp_path / "growth"
    code = main(["fit", str(table), "--out", str(out), "--covariates", "none", "--json", str(tmp_path / "m.json")])
    assert code == 0
    model, asked = (json.loads(path.read_text()) for path in (out / "model.json", tmp_path / "m.json"))
    assert {name: model[name] for name in asked} == asked
    assert (out / "report.html").is_file()
    assert (out / "curves.svg").is_file()
    assert "fixed effect" in capsys.readouterr().out


def test_no_figures(table, tmp_path):
    out = tmp_path / "growth"
    assert main(["fit", str(table), "--out", str(out), "--covariates", "none", "--no-figures", "--quiet"]) == 0
    assert not (out / "report.html").exists()
    assert (out / "model.R").is_file()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ([], "no column volume_bl_mm3, edss"),
        (["--covariates", "none", "--outcome", "chi"], "no column chi"),
        (["--covariates", "a*b"], "COLUMN*rim"),
        (["--covariates", "none", "--bootstrap", "-1"], "--bootstrap"),
        (["--covariates", "none", "--degree", "0"], "whole number"),
    ],
)
def test_refusals_are_one_line_and_write_nothing(more, words, table, tmp_path, capsys):
    out = tmp_path / "growth"
    assert main(["fit", str(table), "--out", str(out), *more]) == 2
    said = capsys.readouterr().err.strip()
    assert words in said
    assert "\n" not in said
    assert not out.exists()


def test_table_that_is_not_there(tmp_path, capsys):
    assert main(["fit", str(tmp_path / "none.tsv"), "--out", str(tmp_path / "out")]) == 2
    assert "does not exist" in capsys.readouterr().err
