"""Imports into a study that is there already."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.io.bids import open_study
from napari_msqsm.workflow.dicom_import.importing import settle

at = datetime.fromisoformat


def test_later_import_keeps_name_and_offset_and_changes_nothing_that_is_there(scanner, write, tmp_path, tree, sessions):
    first = scanner.session()
    stranger = scanner.series("FLAIR", person={"PatientID": "Other"}, number=77)
    write(scanner.staged(*first, stranger))
    before = tree(tmp_path / "study")
    key = (tmp_path / "study_key.tsv").read_bytes()
    scanner.visit(at("2016-01-01T10:00"))
    earlier = scanner.session(("MEGRE", "FLAIR"))
    scanner.visit(at("2021-05-01T10:00"))
    later = scanner.session(("MEGRE", "FLAIR"))
    outcome = write(scanner.staged(*first, *later, *earlier))
    assert outcome.sessions == ("sub-01_ses-02", "sub-01_ses-03")
    assert sum("in the study already" in item.why for item in outcome.left_out) == len(first)
    after = tree(tmp_path / "study")
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {"sub-01/sub-01_sessions.tsv"}
    table = sessions(tmp_path / "study")
    assert list(table["session_id"]) == ["ses-02", "ses-01", "ses-03"], "in order of date"
    days = [at(text) for text in table["acq_time"]]
    true = [at(day) for day in ("2016-01-01", "2018-03-05", "2021-05-01")]
    assert [(day - days[0]).days for day in days] == [(day - true[0]).days for day in true]
    assert (tmp_path / "study_key.tsv").read_bytes().startswith(key)
    assert {session.session_id for session in open_study(tmp_path / "study").sessions} >= {"01", "02", "03"}


def test_series_that_come_later_join_their_session(scanner, write, tmp_path, sessions):
    series = scanner.session(("MEGRE", "FLAIR", "T1w", "FLAIR"))
    write(scanner.staged(*series[:3]))
    outcome = write(scanner.staged(*series))
    assert outcome.sessions == ("sub-01_ses-01",)
    names = {path.name for path in outcome.files}
    assert names == {"sub-01_ses-01_T1w.nii.gz", "sub-01_ses-01_run-2_FLAIR.nii.gz"}
    scans = pd.read_csv(tmp_path / "study" / "sub-01" / "ses-01" / "sub-01_ses-01_scans.tsv", sep="\t")
    assert len(scans) == 6 + 1 + 2
    times = scans.set_index("filename")["acq_time"]
    assert times["anat/sub-01_ses-01_T1w.nii.gz"].endswith("T12:10:00")
    assert list(sessions(tmp_path / "study")["session_id"]) == ["ses-01"]


def test_field_map_that_is_there_does_not_stop_a_later_visit(scanner, write, tmp_path, tree):
    """The folder of the scanner grows, and is imported again as a whole."""
    field_map = scanner.series("", parts=("mag", "field"), description="B0map")
    first = [field_map, *scanner.session(("FLAIR",))]
    write(scanner.staged(*first))
    before = tree(tmp_path / "study" / "sub-01" / "ses-01")
    another = scanner.series("", parts=("mag", "field"), description="B0map")
    scanner.visit(at("2021-05-01T10:00"))
    outcome = write(scanner.staged(*first, another, *scanner.session(("FLAIR",))))
    assert outcome.sessions == ("sub-01_ses-01", "sub-01_ses-02")
    assert {path.name for path in outcome.files} == {
        "sub-01_ses-01_run-2_fieldmap.nii.gz",
        "sub-01_ses-01_run-2_magnitude.nii.gz",
        "sub-01_ses-02_FLAIR.nii.gz",
    }
    after = tree(tmp_path / "study" / "sub-01" / "ses-01")
    assert all(after[name] == before[name] for name in before if not name.endswith("_scans.tsv"))


def test_columns_and_rows_of_others_stay(scanner, write, tmp_path):
    write(scanner.staged(*scanner.session(("FLAIR",))))
    root = tmp_path / "study"
    (root / "participants.tsv").write_text("participant_id\tsex\tsite\nsub-01\tF\tA\nsub-zz\tM\tB\n")
    (root / "sub-01" / "sub-01_sessions.tsv").write_text(
        "session_id\tacq_time\tedss\nses-01\t1901-01-01T12:00:00\t2.50\n"
    )
    (root / "README.md").write_text("mine")
    scanner.visit(at("2021-05-01T10:00"))
    other = scanner.series("FLAIR", person={"PatientID": "Other", "PatientSex": "M"}, number=9)
    write(scanner.staged(*scanner.session(("FLAIR",)), other))
    assert (root / "README.md").read_text() == "mine"
    people = (root / "participants.tsv").read_text().splitlines()
    assert people == ["participant_id\tsex\tsite", "sub-01\tF\tA", "sub-zz\tM\tB", "sub-02\tM\tn/a"]
    lines = (root / "sub-01" / "sub-01_sessions.tsv").read_text().splitlines()
    assert lines[0] == "session_id\tacq_time\tedss\tage"
    assert lines[1] == "ses-01\t1901-01-01T12:00:00\t2.50\tn/a"
    assert lines[2].startswith("ses-02\t")


def test_kept_and_moved_dates_do_not_mix(scanner, write, tmp_path):
    first = scanner.session(("FLAIR",))
    write(scanner.staged(*first))
    scanner.visit(at("2021-05-01T10:00"))
    later = scanner.session(("FLAIR",))
    with pytest.raises(ParameterError, match="lesion ages wrong"):
        write(scanner.staged(*later), keep_dates=True)
    write(scanner.staged(*first), bids_dir=tmp_path / "kept", keep_dates=True)
    outcome = write(scanner.staged(*later), bids_dir=tmp_path / "kept")
    assert any("are kept" in warning for warning in outcome.warnings)
    assert [s.date.date() for s in open_study(tmp_path / "kept").sessions] == [
        at(d).date() for d in ("2018-03-05", "2021-05-01")
    ]


def test_patient_who_is_in_the_study_but_not_in_the_key(scanner, write, tmp_path):
    series = scanner.session(("FLAIR",))
    write(scanner.staged(*series))
    (tmp_path / "study_key.tsv").unlink()
    scanner.visit(at("2021-05-01T10:00"))
    later = scanner.session(("FLAIR",))
    with pytest.raises(InputError, match="not in the key file"):
        write(scanner.staged(*later), change=lambda plan: plan.with_row(later[0].series_uid, settle, patient_id="01"))
    outcome = write(scanner.staged(*later))
    assert outcome.sessions == ("sub-02_ses-01",), "a new name: who it is cannot be known"


def test_agent_that_comes_to_light_later(scanner, write, tmp_path):
    series = scanner.session(("T1w", "ce-gadolinium_T1w", "MEGRE"))
    write(scanner.staged(series[0], *series[2:]))
    assert open_study(tmp_path / "study").sessions[0].post_gd is False
    plans = []
    write(scanner.staged(*series), change=lambda plan: plans.append(plan) or plan)
    assert any("set its post_gd to true" in problem for problem in plans[0].problems)
