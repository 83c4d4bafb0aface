"""What a table changes in a study, and what it never does."""
# ruff: noqa: DTZ001  spreadsheets know no zone

from __future__ import annotations

import json
from datetime import datetime

import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.io.bids import open_study
from napari_msqsm.io.bids_check import check_study
from napari_msqsm.workflow.bring_in.tables.plan import plan_table, write_plan
from napari_msqsm.workflow.dicom_import.existing import KeyRow
from napari_msqsm.workflow.dicom_import.key_file import appended_key

SESSIONS = "session_id\tacq_time\tedss\nses-01\t2019-03-04T10:00:00\t2\nses-02\tn/a\tn/a\n"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "study"
    for patient, sessions in (("01", ("01", "02")), ("02", ("01",))):
        for session in sessions:
            (root / f"sub-{patient}" / f"ses-{session}" / "anat").mkdir(parents=True)
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    (root / "participants.tsv").write_text("participant_id\thandedness\nsub-01\tleft\n")
    (root / "sub-01" / "sub-01_sessions.tsv").write_text(SESSIONS)
    return root


def plan(root, text, name="table.csv", **options):
    path = root.parent / name
    path.write_text(text, "utf-8")
    return plan_table(open_study(root), path, **options)


def write(root, found, **options):
    return write_plan(open_study(root), found, **options)


def test_visits_by_name(root):
    text = "ID;Visit;MRI date;EDSS;Sex\n1;1;04.03.2019;2,0;w\n1;2;05.06.2020;3,5;w\nsub-02;01;07.08.2020;1;m\n"
    found = plan(root, text)
    assert not found.problems
    assert not found.conflicts
    assert any("1 is taken as sub-01" in note for note in found.notes)
    assert found.unchanged == 2
    write(root, found)
    table = (root / "sub-01" / "sub-01_sessions.tsv").read_text()
    assert table == ("session_id\tacq_time\tedss\nses-01\t2019-03-04T10:00:00\t2\nses-02\t2020-06-05T12:00:00\t3.5\n")
    assert (root / "participants.tsv").read_text() == (
        "participant_id\thandedness\tsex\nsub-01\tleft\tF\nsub-02\tn/a\tM\n"
    )
    assert (root / "sub-02" / "sub-02_sessions.tsv").read_text().endswith("ses-01\t1\t2020-08-07T12:00:00\n")
    assert json.loads((root / "sessions.json").read_text())["edss"]["Description"] == "Expanded Disability Status Scale"
    assert json.loads((root / "participants.json").read_text())["sex"]["Levels"]["F"] == "female"
    assert not [finding for finding in check_study(root) if finding.is_error]
    session = open_study(root).session("sub-01_ses-02")
    assert session.date == datetime(2020, 6, 5, 12)
    assert session.covariates["edss"] == 3.5
    assert write(root, plan(root, text)) == ()


def test_existing_values_stay_unless_told(root):
    text = "ID,Session,Date,EDSS\n01,01,2019-03-05,4\n"
    found = plan(root, text)
    assert {str(change) for change in found.conflicts} == {
        "sub-01 ses-01 edss: 2 → 4",
        "sub-01 ses-01 acq_time: 2019-03-04T10:00:00 → 2019-03-05T12:00:00",
    }
    assert write(root, found) == ()
    assert (root / "sub-01" / "sub-01_sessions.tsv").read_text() == SESSIONS
    write(root, found, overwrite=True)
    assert "ses-01\t2019-03-05T12:00:00\t4\n" in (root / "sub-01" / "sub-01_sessions.tsv").read_text()


def test_visits_by_date(root):
    text = "ID,Date,EDSS,Age\n01,2019-03-04,2,40.2\n01,2019-03-09,3,40.2\n"
    found = plan(root, text)
    assert [(change.session_id, change.column, change.new) for change in found.changes] == [("01", "age", "40.2")]
    assert any("line 3" in problem and "5 days away" in problem for problem in found.problems)
    near = plan(root, "ID,Date,Age\n01,2019-03-09,40.2\n", within_days=7)
    assert [change.session_id for change in near.changes] == ["01"]
    assert any("5 days from its scan" in note for note in near.notes)


def test_a_table_without_visits_is_about_patients(root):
    found = plan(root, "participant_id,age,sex,site\nsub-01,41,F,A\n", columns={"site": "site"})
    assert {(change.session_id, change.column) for change in found.changes} == {("", "age"), ("", "sex"), ("", "site")}


def test_rows_that_cannot_be_used_are_listed(root):
    text = "ID,Session,EDSS\n07,01,2\n,01,2\n01,V9,2\n01,,3\n01,02,2\n01,02,3\n"
    found = plan(root, text)
    assert found.changes == ()
    words = ("not in the study: 07 (line 2)", "line 3 names no patient", "no session 'V9'")
    words += ("line 5 tells neither session nor date", "lines 6 and 7 give sub-01 ses-02 two values of edss")
    for word in words:
        assert any(word in problem for problem in found.problems), (word, found.problems)
    assert write(root, found) == ()


def test_names_through_a_key_table(root):
    key = root.parent / "key.csv"
    key.write_text('participant_id,Name,Number\nsub-01,"Doe, Jane",4711\n')
    text = "Name,Session,EDSS\nJANE DOE,02,3\n004711,01,2\n"
    found = plan(root, text, key_file=key)
    assert not found.problems
    assert [(change.patient_id, change.session_id) for change in found.changes] == [("01", "02")]
    key.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="participant_id"):
        plan(root, text, key_file=key)


MOVED = "session_id\tacq_time\nses-01\t1903-03-04T12:00:00\nses-02\t1904-06-05T12:00:00\n"


def moved_key(root, offset):
    row = KeyRow("01", "01", "sub-01_ses-01_FLAIR", "4711", "DOE^JANE", "", "F", "1", "2", 1, "flair", None, offset)
    return appended_key(root.parent / "none.tsv", [row])


def test_true_dates_never_enter_a_study_whose_dates_were_moved(root):
    (root / "sub-01" / "sub-01_sessions.tsv").write_text(MOVED)
    text = "Name,Session,Date,EDSS,Age\nsub-01,01,2019-03-04,2,93\n"
    found = plan(root, text)
    assert [(change.column, change.new) for change in found.changes] == [("age", "89"), ("edss", "2")]
    assert any("--key-file" in problem for problem in found.problems)


def test_a_patient_without_dates_is_as_the_others_of_the_study(root):
    (root / "sub-01" / "sub-01_sessions.tsv").write_text(MOVED)
    found = plan(root, "Name,Session,Date,Age\nsub-02,01,2019-03-04,93\n")
    assert [(change.column, change.new) for change in found.changes] == [("age", "89")]
    assert any("dates of sub-02 were moved" in problem for problem in found.problems)


@pytest.mark.parametrize("number", ["02", "2", "002"])
def test_a_number_that_is_another_patient_by_the_key_is_not_guessed(root, number):
    """The laboratory's patient 2 was scanned first and is sub-01 of the study."""
    row = KeyRow("01", "01", "sub-01_ses-01_FLAIR", "002", "", "", "F", "1", "2", 1, "flair", None, 0)
    (root.parent / "study_key.tsv").write_text(appended_key(root.parent / "none.tsv", [row]))
    found = plan(root, f"ID,Session,EDSS\n{number},01,3\n")
    assert found.changes == ()
    assert f"{number} is sub-01 by the key file but may mean sub-02: write sub-01 or sub-02" in found.problems
    plain = plan(root, "ID,Session,EDSS\nsub-02,01,3\nsub-01,02,4\n")
    assert [(change.patient_id, change.new) for change in plain.changes] == [("02", "3"), ("01", "4")]
    assert not plain.problems


def test_dates_move_with_the_key_file_of_the_import(root):
    (root / "sub-01" / "sub-01_sessions.tsv").write_text(MOVED)
    offset = (datetime(1903, 3, 4) - datetime(2019, 3, 4)).days
    key = root.parent / "study_key.tsv"  # beside the study, where the import puts it
    key.write_text(moved_key(root, offset))
    found = plan(root, "Name,Session,Date,EDSS\nJane Doe,01,2019-03-04,2\n")
    assert not found.problems
    assert found.unchanged == 1
    assert [change.column for change in found.changes] == ["edss"]
    by_date = plan(root, "Name,Date,EDSS\nDoe Jane,2019-03-04,2\n4711,2020-06-05,3\n")
    assert [(change.session_id, change.new) for change in by_date.changes] == [("01", "2"), ("02", "3")]
    assert not by_date.problems


def test_workbook(root):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["Patient", "Visit", "Date", "EDSS"])
    book.active.append([1, 2, datetime(2020, 6, 5), 3.5])
    path = root.parent / "table.xlsx"
    book.save(path)
    found = plan_table(open_study(root), path)
    assert [change.new for change in found.changes] == ["3.5", "2020-06-05T12:00:00"]


def test_a_study_without_session_folders(tmp_path):
    root = tmp_path / "study"
    (root / "sub-01" / "anat").mkdir(parents=True)
    found = plan(root, "ID,Date,EDSS\n01,2020-03-14,2\n")
    assert [(change.session_id, change.column, change.new) for change in found.changes] == [("", "edss", "2")]
    assert any("no session folders" in problem for problem in found.problems)
