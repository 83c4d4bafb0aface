"""``msqsm measure`` in this process."""

from __future__ import annotations

import csv
import json

import pytest

from workflow.measure.known_study import S2, OnDisk, make


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> OnDisk:
    return make(tmp_path_factory.mktemp("cli") / "study")


def rows(study):
    with (study.out / "lesion_table.tsv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_writes_the_table_and_says_what_is_in_it(msqsm, study, tmp_path):
    ran = msqsm("measure", study.root, "--format", "csv", "--json", tmp_path / "measured.json")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0].split() == ["patient", "lesions", "eligible", "sessions", "rows", "with", "χ", "flagged"]
    assert lines[1].split() == ["01", "3", "1", "3", "9", "9", "4"]
    assert ["roi_volume_changed", "1", "region"] in [line.split()[:3] for line in lines]
    assert f"note: sub-01: {S2}rescan repeats another session and is left out" in lines
    for name, word in (("tsv", "table"), ("csv", "table"), ("json", "dictionary")):
        path = study.out / f"lesion_table.{name}"
        assert path.is_file()
        assert f"{word}: {path}" in lines
    result = json.loads((tmp_path / "measured.json").read_text("utf-8"))
    (patient,) = result["patients"]
    table = rows(study)
    assert [row["chi_ppb"] for row in table] == [repr(row["chi_ppb"]) for row in patient["rows"]]
    assert patient["rescans_left_out"] == [f"{S2}rescan"]
    assert patient["covariate_sources"]["01-L002"]["edss"] == "participants.tsv"
    assert result["refused"] == {}
    assert (study.anat(S2) / f"{S2}_desc-nawm_dseg.nii.gz").is_file()
    ignored = (study.out / ".bidsignore").read_text("utf-8").splitlines()
    assert {"lesion_table.*", "sub-*/**/*_desc-lesions_weights.*"} <= set(ignored)


def test_quiet_says_nothing_and_measures_the_same(msqsm, study):
    first = msqsm("measure", study.root, "--no-local-alignment")
    table = rows(study)
    ran = msqsm("measure", study.root, "--no-local-alignment", "--quiet", "--participant-label", "sub-01")
    assert (first.code, ran.code, ran.out, ran.err) == (0, 0, "", "")
    assert rows(study) == table


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nowhere",), "nowhere is not a folder"),
        (("STUDY", "--participant-label", "07"), "there is no patient '07'"),
        (("STUDY", "--format", "ods"), "invalid choice: 'ods'"),
        (("BARE",), "no lesion is drawn in"),
    ],
)
def test_refusals_are_one_line_and_write_nothing(msqsm, study, bids, arguments, sentence):
    places = {"STUDY": study.root, "BARE": bids}
    before = {path: path.stat().st_mtime_ns for root in places.values() for path in root.rglob("*")}
    ran = msqsm("measure", *(places.get(argument, argument) for argument in arguments))
    assert ran.code == 2
    assert len(ran.error_lines) == 1
    assert sentence in ran.err
    assert {path: path.stat().st_mtime_ns for root in places.values() for path in root.rglob("*")} == before


def test_a_patient_that_cannot_be_used_is_named(msqsm, study):
    broken = study.out / "sub-01" / "sub-01_lesions.tsv"
    kept = broken.read_text("utf-8")
    broken.write_text("lesion_id\tlabel\n01-L001\tmany\n", "utf-8")
    try:
        ran = msqsm("measure", study.root, "--no-local-alignment")
    finally:
        broken.write_text(kept, "utf-8")
    assert ran.code == 2
    assert ran.error_lines == [ran.err.strip()]
    assert "label is many" in ran.err


def test_reference_can_be_set_and_is_told(msqsm, study):
    ran = msqsm("measure", study.root, "--no-local-alignment", "--set-reference", "ring.outer_mm=9")
    assert ran.code == 0, ran.err
    assert "references were found with ring.outer_mm=9" in ran.out
    for text, words in (("ring.thickness=9", "ring.thickness"), ("mirror", "--set-reference takes KEY=VALUE")):
        ran = msqsm("measure", study.root, "--set-reference", text)
        assert ran.code == 2
        assert words in ran.err
