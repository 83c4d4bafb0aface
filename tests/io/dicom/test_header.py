"""The header as plain values, and which part an image is."""

from __future__ import annotations

import json

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom_scanner import Geometry, Patient, Visit, write_contrast, write_gre
from napari_msqsm.io.dicom.elements import DamagedError
from napari_msqsm.io.dicom.header import plain_header, read_dataset
from napari_msqsm.io.dicom.parts import part_of

COMMON = {"patient": Patient(), "number": 3}


def test_values_are_plain_and_public(tmp_path):
    written = write_contrast(tmp_path, "T1w+Gd", visit=Visit(), **COMMON)
    dataset = pydicom.dcmread(written.files[0])
    dataset.private_block(0x0019, "A VENDOR", create=True).add_new(0x10, "LO", "secret")
    dataset.IconImageSequence = Sequence([Dataset()])
    header = plain_header(dataset)
    json.dumps(header)
    assert header["PatientName"] == Patient().name
    assert header["PatientWeight"] == 64.0
    assert header["SequenceVariant"] == ["SK", "SP", "MP"]
    assert header["SeriesNumber"] == 3
    assert "secret" not in str(header)
    assert "PixelData" not in header
    assert "IconImageSequence" not in header


def test_nested_elements_of_enhanced_files_are_found(tmp_path):
    (written,) = write_gre(tmp_path, Geometry(), (0.005, 0.010), visit=Visit(vendor="philips"), enhanced=True, **COMMON)
    header = plain_header(read_dataset(str(written.files[0])))
    assert header["RepetitionTime"] == 40.0
    assert header["EchoTime"] == 5.0
    assert header["FlipAngle"] == 15.0
    assert "ContrastBolusAgent" not in header


def test_a_contrast_agent_that_is_named_in_a_sequence():
    dataset, agent = Dataset(), Dataset()
    agent.CodeMeaning = "Gadobutrol"
    dataset.ContrastBolusAgentSequence = Sequence([agent])
    assert plain_header(dataset)["ContrastBolusAgent"] == "Gadobutrol"
    dataset.ContrastBolusAgent = "Gadovist"
    assert plain_header(dataset)["ContrastBolusAgent"] == "Gadovist"


def test_a_header_that_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(DamagedError, match="its header cannot be read") as caught:
        read_dataset(str(tmp_path / "gone"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("component", "image_type", "kind", "part"),
    [
        ("", r"ORIGINAL\PRIMARY\M\ND", None, "mag"),
        ("", r"ORIGINAL\PRIMARY\P\ND", None, "phase"),
        ("", r"ORIGINAL\PRIMARY\PHASE MAP\P\FFE", None, "phase"),
        ("", r"ORIGINAL\PRIMARY\R_FFE\R\FFE", None, "real"),
        ("", r"ORIGINAL\PRIMARY\I_FFE\I\FFE", None, "imag"),
        ("", r"ORIGINAL\PRIMARY\B0 MAP\B0\UNSPECIFIED", None, "field"),
        ("PHASE", r"ORIGINAL\PRIMARY\M\ND", None, "phase"),
        ("MIXED", r"ORIGINAL\PRIMARY\MIXED", None, "mag"),
        ("", r"ORIGINAL\PRIMARY\OTHER", 0, "mag"),
        ("", r"ORIGINAL\PRIMARY\OTHER", 1, "phase"),
        ("", r"ORIGINAL\PRIMARY\OTHER", 2, "real"),
        ("", r"ORIGINAL\PRIMARY\OTHER", 3, "imag"),
        ("MAGNITUDE", r"ORIGINAL\PRIMARY\OTHER", 3, "imag"),
        ("", r"ORIGINAL\PRIMARY\P", 7, "phase"),
        ("", "", None, "mag"),
    ],
)
def test_part_of_an_image(component, image_type, kind, part):
    assert part_of(component, image_type, kind) == part
