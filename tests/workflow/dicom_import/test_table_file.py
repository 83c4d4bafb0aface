"""The import table as a file: written, corrected, read back."""

from __future__ import annotations

import csv

import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.workflow.dicom_import.propose import propose
from napari_msqsm.workflow.dicom_import.table_file import read_table_file, write_table_file


@pytest.fixture
def plan(scanner):
    return propose(scanner.staged(*scanner.session(("MEGRE", "FLAIR", "T1w", "T1w"))))


@pytest.fixture
def edit(tmp_path, plan):
    """Write the table, change cells by series number, read it back."""

    def run(changes, *, drop=(), columns=None, delimiter="\t"):
        path = tmp_path / "plan.tsv"
        write_table_file(path, plan)
        with path.open(newline="") as stream:
            lines = list(csv.DictReader(stream, delimiter="\t"))
        lines = [line for line in lines if line["number"] not in drop]
        for line in lines:
            line.update(changes.get(line["number"], {}))
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, columns or list(lines[0]), delimiter=delimiter, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(lines)
        return read_table_file(path, plan)

    return run


def test_unchanged_table_changes_nothing(edit, plan):
    assert edit({}) == (plan, [])


def test_it_says_what_the_plan_says(tmp_path, plan):
    write_table_file(tmp_path / "plan.tsv", plan)
    with (tmp_path / "plan.tsv").open(newline="") as stream:
        first = next(csv.DictReader(stream, delimiter="\t"))
    assert first["patient"] == "01"
    assert first["session"] == "01"
    assert first["role"] == "MEGRE"
    assert first["post_gd"] in ("false", "n/a")
    assert first["acquired_at"] == "2018-03-05 09:15:00"
    assert first["echo_times_ms"] == "5 10 15"
    assert first["size"] == "6×7×5"


def test_corrections_are_taken_and_what_follows_is_derived(edit):
    plan, notes = edit({"5": {"role": "ce-gadolinium_T1w", "session": "ses-02", "patient": "sub-07"}})
    assert notes == []
    row = next(row for row in plan.rows if row.series.number == 5)
    assert (row.role, row.session_id, row.patient_id, row.confidence) == ("ce-gadolinium_T1w", "02", "07", 1.0)
    assert row.post_gd is True
    assert next(row for row in plan.rows if row.series.number == 3).confidence < 1


@pytest.mark.parametrize(("word", "value"), [("true", True), ("YES", True), ("0", False), ("n/a", None), ("", None)])
def test_gadolinium_by_the_user(edit, word, value):
    plan, _ = edit({"1": {"post_gd": "true"}, "2": {"post_gd": "true"}, "3": {"post_gd": word}})
    assert [row.post_gd for row in plan.rows][:3] == [True, True, value]


def test_zeros_that_a_spreadsheet_took_away(edit, plan):
    changed = {str(number): {"patient": "1", "session": "1"} for number in range(1, 6)}
    assert edit(changed)[0] == plan


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"role": "PET"}, "line 4: there is no role 'PET'"),
        ({"post_gd": "perhaps"}, "line 4: post_gd is 'perhaps'"),
    ],
)
def test_cell_that_cannot_be_used_is_named(edit, changes, words):
    with pytest.raises(InputError, match=words):
        edit({"3": changes})


def test_series_that_are_not_in_the_table_are_imported_as_proposed_and_told(edit, plan):
    changed, notes = edit({}, drop=("4", "5"))
    assert changed == plan
    assert any("2 series, such as 4" in note for note in notes)


def test_series_that_are_not_in_the_folder_are_told(edit, plan):
    changed, notes = edit({"3": {"series_uid": "1.2.3.999"}})
    assert changed == plan
    assert any("1 series of the table" in note for note in notes)


def test_series_that_is_there_twice(edit, plan):
    with pytest.raises(InputError, match="twice"):
        edit({"3": {"series_uid": plan.rows[0].series.series_uid}})


def test_columns_may_be_moved_or_left_out(edit, plan):
    changed, _ = edit({"3": {"role": "ignore"}}, columns=["series_uid", "role"])
    assert [row.role for row in changed.rows] == ["MEGRE", "MEGRE", "ignore", "T1w", "T1w"]
    assert changed.rows[0] == plan.rows[0]


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_other_separators_are_refused_in_one_sentence(edit, delimiter):
    with pytest.raises(InputError, match="tab-separated"):
        edit({}, delimiter=delimiter)


def test_bytes_that_are_no_text(tmp_path, plan):
    (tmp_path / "plan.tsv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="cannot be read"):
        read_table_file(tmp_path / "plan.tsv", plan)
