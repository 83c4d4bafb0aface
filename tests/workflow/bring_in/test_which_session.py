"""The session of a file, from its name and folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_msqsm.model.study import Patient, Session, Study
from napari_msqsm.workflow.bring_in.which_session import same_name, which_session

STUDY = Study(
    Path("study"),
    (
        Patient("01", tuple(Session("01", name, None, ()) for name in ("01", "02", "m12"))),
        Patient("02", (Session("02", "01", None, ()),)),
        Patient("K7", (Session("K7", "", None, ()),)),
    ),
)


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("lab/sub-01_ses-02_QSM.nii.gz", "sub-01_ses-02"),
        ("lab/sub-01/ses-02/QSM.nii.gz", "sub-01_ses-02"),
        ("lab/sub-1/ses-2/QSM.nii.gz", "sub-01_ses-02"),
        ("lab/sub-02/ses-01/sub-01_ses-02_QSM.nii.gz", "sub-01_ses-02"),
        ("lab/sub-01_ses-M12/QSM.nii.gz", "sub-01_ses-m12"),
        ("lab/01/01/QSM.nii.gz", "sub-01_ses-01"),
        ("lab/1/M12/deep/QSM.nii.gz", "sub-01_ses-m12"),
        ("lab/02/QSM.nii.gz", "sub-02_ses-01"),
        ("lab/k7/QSM.nii.gz", "sub-K7"),
    ],
)
def test_names_and_folders(tmp_path, path, label):
    session, why = which_session(STUDY, tmp_path / path, within=tmp_path / "lab")
    assert session is not None, why
    assert session.label == label


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("lab/QSM.nii.gz", "neither its name nor its folders"),
        ("lab/01/QSM.nii.gz", "has 3 sessions and the path names none"),
        ("lab/sub-01_ses-05_QSM.nii.gz", "no session ses-05"),
        ("lab/sub-05_QSM.nii.gz", "no patient sub-05"),
    ],
)
def test_what_cannot_be_told(tmp_path, path, words):
    session, why = which_session(STUDY, tmp_path / path, within=tmp_path / "lab")
    assert session is None
    assert words in why


def test_folders_outside_the_searched_one_do_not_count(tmp_path):
    assert which_session(STUDY, tmp_path / "02" / "lab" / "QSM.nii.gz", within=tmp_path / "02" / "lab")[0] is None
    assert which_session(STUDY, tmp_path / "02" / "lab" / "QSM.nii.gz")[0] is not None


def test_one_patient_needs_no_name(tmp_path):
    alone = Study(Path("study"), STUDY.patients[1:2])
    assert which_session(alone, tmp_path / "QSM.nii.gz")[0].label == "sub-02_ses-01"


@pytest.mark.parametrize(("one", "other"), [("1", "01"), ("M12", "m012"), ("0", "00")])
def test_same_name(one, other):
    assert same_name(one, other)
    assert not same_name(one, other + "1")
