"""Studies as plain data."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from napari_msqsm.model.gre_files import GreFiles
from napari_msqsm.model.study import EchoFile, Patient, Session, Study


def session(patient="01", name="a", parts=(), **others):
    gre = tuple(EchoFile(Path(f"{part}.nii"), part, 1) for part in parts)
    return Session(patient, name, None, gre, **others)


@pytest.fixture
def study():
    first = Patient("01", (session("01", "a"), session("01", "b")))
    return Study(Path("study"), (first, Patient("02", (session("02", ""),))))


def test_labels_are_bids_names():
    assert session("01", "a").label == "sub-01_ses-a"
    assert session("01", "").label == "sub-01"


def test_sessions_of_all_patients(study):
    assert [found.label for found in study.sessions] == ["sub-01_ses-a", "sub-01_ses-b", "sub-02"]
    assert study.session("sub-01_ses-b") is study.patients[0].sessions[1]
    with pytest.raises(KeyError):
        study.session("sub-03")


def test_results_go_below_the_derivatives(study):
    assert study.derivatives_root == Path("study") / "derivatives" / "msqsm"


@pytest.mark.parametrize(
    ("parts", "possible"),
    [
        (("mag", "phase"), True),
        (("real", "imag"), True),
        (("mag", "phase", "real"), True),
        (("mag",), False),
        (("mag", "real"), False),
        (("phase", "imag"), False),
        ((), False),
    ],
)
def test_both_parts_are_needed(parts, possible):
    assert session(parts=parts).can_reconstruct == possible


def test_defects_forbid_a_reconstruction():
    assert not session(parts=("mag", "phase"), unusable=("2 empty files",)).can_reconstruct
    assert session(parts=("mag", "phase"), missing=("no FLAIR",)).can_reconstruct


def test_sessions_can_be_keys(study):
    assert len({found: found.label for found in study.sessions}) == 3


def test_all_paths_of_loose_files():
    files = GreFiles(magnitude=(Path("m"),), phase=(Path("p"),), real=(Path("r"),), imaginary=(Path("i"),))
    assert files.paths == (Path("m"), Path("p"), Path("r"), Path("i"))


@pytest.mark.parametrize(
    ("first", "second", "days"),
    [
        ("2018-03-05T23:59:00", "2018-03-06T00:01:00", 1),
        ("2018-03-05T00:01:00", "2018-03-05T23:59:00", 0),
        ("2019-06-11T08:00:00", "2018-06-11T20:00:00", -365),
        ("1899-12-31T12:00:00", "1900-03-01T12:00:00", 60),
    ],
)
def test_days_between_sessions_are_those_of_the_calendar(first, second, days):
    one, other = (Session("01", name, datetime.fromisoformat(date), ()) for name, date in (("a", first), ("b", second)))
    assert other.days_since(one) == days
    assert other.days_since(Session("01", "c", None, ())) is None
