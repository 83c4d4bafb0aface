"""The private file that says who is who."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.workflow.dicom_import.existing import KeyRow
from napari_msqsm.workflow.dicom_import.key_file import appended_key, key_path, read_key, refuse_inside, write_private

ROW = KeyRow(
    "01",
    "02",
    "sub-01_ses-02_FLAIR",
    "MS0815",
    "Müller^Erika",
    "19840312",
    "F",
    "1.2.3",
    "1.2.3.4",
    7,
    'Sag "CUBE" T2',
    datetime.fromisoformat("2018-03-05T09:15:00"),
    -42989,
)


def test_round_trip_and_lines_are_only_added(tmp_path):
    path = tmp_path / "key.tsv"
    write_private(path, appended_key(path, [ROW]))
    before = path.read_text("utf-8")
    undated = replace(ROW, series_uid="9", acquired_at=None, birth_date="", offset_days=0)
    write_private(path, appended_key(path, [undated]))
    assert path.read_text("utf-8").startswith(before)
    assert read_key(path) == (ROW, undated)


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
def test_only_its_owner_can_read_it(tmp_path):
    path = tmp_path / "key.tsv"
    before = os.umask(0)
    try:
        write_private(path, "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_text_that_would_break_the_table_is_put_into_one_line(tmp_path):
    path = tmp_path / "key.tsv"
    write_private(path, appended_key(path, [replace(ROW, patient_name="a\tb\nc", series_description='="cmd"')]))
    (row,) = read_key(path)
    assert row.patient_name == "a b c"
    assert row.offset_days == ROW.offset_days


def test_there_is_none_yet(tmp_path):
    assert read_key(tmp_path / "key.tsv") == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a\tb\n1\t2\n", "not a key file"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"", "not a key file"),
    ],
)
def test_something_else_is_refused(tmp_path, content, words):
    path = tmp_path / "key.tsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_key(path)


@pytest.mark.parametrize(("old", "new"), [("-42989", "many"), ("2018-03-05T09:15:00", "yesterday")])
def test_damaged_line_is_named(tmp_path, old, new):
    path = tmp_path / "key.tsv"
    path.write_text(appended_key(path, [ROW]).replace(old, new), "utf-8")
    with pytest.raises(InputError, match="line 2"):
        read_key(path)


def test_it_lies_beside_the_study_by_default(tmp_path, monkeypatch):
    assert key_path(tmp_path / "study", None) == tmp_path / "study_key.tsv"
    monkeypatch.chdir(tmp_path)
    assert key_path(Path("study"), None) == tmp_path / "study_key.tsv"


@pytest.mark.parametrize("place", ["study/key.tsv", "study/sub-01/../key.tsv", "study", "link/key.tsv", "other.tsv"])
def test_never_inside_the_study(tmp_path, place):
    study = tmp_path / "study"
    (study / "sub-01").mkdir(parents=True)
    try:
        (tmp_path / "link").symlink_to(study)
        (tmp_path / "other.tsv").symlink_to(study / "key.tsv")
    except OSError:
        pytest.skip("links cannot be made here")
    with pytest.raises(ParameterError, match="inside the study"):
        key_path(study, tmp_path / place)
    refuse_inside(study, tmp_path / "elsewhere.tsv", "--table")
