"""What a folder holds."""

from __future__ import annotations

import pytest

from dicom_scanner.study import TWO_VISITS, write_study
from napari_msqsm.workflow.dicom_import.folder_kind import folder_kind


@pytest.fixture
def dicom(tmp_path):
    write_study(tmp_path / "scans" / "sub-01", TWO_VISITS[:1], roles=("T2w",))
    return tmp_path / "scans"


def test_dicom_in_folders_below_is_found_also_where_they_have_names_of_bids(dicom):
    assert folder_kind(dicom) == "dicom"


def test_a_dataset_description_makes_a_study(dicom):
    (dicom / "dataset_description.json").write_text("{}")
    assert folder_kind(dicom) == "bids"


def test_folders_of_patients_without_dicom_are_a_study(tmp_path):
    (tmp_path / "sub-01" / "anat").mkdir(parents=True)
    (tmp_path / "sub-01" / "anat" / "sub-01_FLAIR.nii.gz").write_bytes(b"")
    assert folder_kind(tmp_path) == "bids"


def test_anything_else_is_neither(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / ".hidden").write_bytes(bytes(128) + b"DICM")
    assert folder_kind(tmp_path) == ""


def test_a_damaged_dicom_file_is_dicom(tmp_path):
    (tmp_path / "IM0001").write_bytes(bytes(128) + b"DICM" + b"\x02\x00")
    assert folder_kind(tmp_path) == "dicom"
