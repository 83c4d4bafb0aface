"""From a synthetic patient scanned twice to the table of repeatability."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from napari_msqsm.cli import common


@pytest.fixture
def study(msqsm, tmp_path):
    size = ("--voxel-size", "4", "4", "5", "--echoes", "3", "--sessions", "1", "--lesions", "3")
    ran = msqsm("phantom", tmp_path / "study", "--rescan", *size, "--seed", "5", "--quiet")
    assert ran.code == 0, ran.err
    return tmp_path / "study"


def test_a_synthetic_patient_scanned_twice(msqsm, study, tmp_path):
    maps = study / "derivatives" / "msqsm"
    before = msqsm("repeatability", study, maps)
    assert before.code == common.UNUSABLE
    assert "msqsm run" in before.error_lines[-1]
    assert len(before.error_lines) == 1
    assert msqsm("run", study, maps, "participant", "--preset", "fast", "--quiet").code == 0
    ran = msqsm("repeatability", study, maps, "--json", tmp_path / "r.json")
    assert ran.code == 0, ran.err
    table = pd.read_csv(maps / "repeatability.tsv", sep="\t", na_values="n/a")
    white = table[(table["region"] == "white matter") & (table["reference"] == "brain")].iloc[0]
    assert white["n_pairs"] == 1
    assert abs(white["bias_ppb"]) < 3  # a coarse preview still tells the brain's mean
    assert {"deep grey matter", "white matter"} <= set(table["group"])
    assert "white matter" in ran.out
    assert len(json.loads((tmp_path / "r.json").read_text("utf-8"))["rows"]) == len(table)


def test_a_study_without_rescans(msqsm, bids):
    (bids / "derivatives" / "msqsm").mkdir(parents=True)
    ran = msqsm("repeatability", bids, bids / "derivatives" / "msqsm")
    assert ran.code == common.UNUSABLE
    assert "rescan_of" in ran.error_lines[-1]
    assert msqsm("repeatability", bids, bids / "nowhere").code == common.UNUSABLE
