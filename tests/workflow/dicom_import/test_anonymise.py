"""What of a sidecar survives."""

from __future__ import annotations

import pytest

from napari_msqsm.workflow.dicom_import.anonymise import (
    IDENTIFYING,
    NOT_LISTED,
    NOT_PLAIN,
    clean_sidecar,
    secrets_of,
)

SECRETS = ("erika", "musterfrau", "ms0815", "19840312", "house", "hospital of nowhere")


def test_physics_survives():
    sidecar = {
        "EchoTime": 0.005,
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
        "SoftwareVersions": "27\\LX\\MR Software release:DV27.0_R01_1850.a",
        "ManufacturersModelName": "Prisma_fit",
        "ImageOrientationPatientDICOM": [1, 0, 0, 0, 1, 0],
        "SequenceName": "*fl3d5r",
        "Units": "rad",
        "NonlinearGradientCorrection": True,
        "ConversionSoftwareVersion": "v1.0.20260724",
    }
    assert clean_sidecar(sidecar, SECRETS).kept == sidecar


@pytest.mark.parametrize(
    "name",
    ["PatientName", "InstitutionName", "SeriesDescription", "AcquisitionTime", "BidsGuess", "A field of tomorrow"],
)
def test_what_is_not_listed_is_dropped_whatever_it_holds(name):
    cleaned = clean_sidecar({name: "x", "EchoTime": 0.005}, ())
    assert cleaned.kept == {"EchoTime": 0.005}
    assert cleaned.dropped == {name: NOT_LISTED}


@pytest.mark.parametrize("value", ["Erika", ["a"], {"x": 1}, None, [], [1, "b"]])
def test_number_fields_hold_numbers(value):
    assert clean_sidecar({"EchoTime": value}, ()).dropped == {"EchoTime": NOT_PLAIN}


@pytest.mark.parametrize("value", ["Müller", "x" * 65, "line\nbreak", {"x": 1}, None, ""])
def test_words_are_short_and_plain(value):
    assert clean_sidecar({"ReceiveCoilName": value}, ()).dropped == {"ReceiveCoilName": NOT_PLAIN}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ReceiveCoilName", "Head_32 for Erika"),
        ("PulseSequenceName", "MUSTERFRAU"),
        ("SequenceName", "ms0815"),
        ("ScanOptions", "19840312"),
        ("ScanOptions", "20180305"),
        ("ScanOptions", "2018-03-05"),
        ("SequenceName", "1.2.840.113619.2.40.5"),
        ("ImageType", ["ORIGINAL", "House"]),
        ("SoftwareVersions", "release 19840312"),
        ("ManufacturersModelName", "Scanner of Hospital of Nowhere"),
    ],
)
def test_words_that_tell_who_where_or_when(name, value):
    assert clean_sidecar({name: value}, SECRETS).dropped == {name: IDENTIFYING}


def test_manufacturer_survives_a_patient_of_that_name():
    assert clean_sidecar({"Manufacturer": "Philips"}, ("philips",)).kept == {"Manufacturer": "Philips"}
    assert clean_sidecar({"Manufacturer": "Musterfrau"}, SECRETS).dropped == {"Manufacturer": IDENTIFYING}


def test_part_of_a_word_is_not_a_name():
    assert clean_sidecar({"ReceiveCoilName": "Householder"}, SECRETS).kept == {"ReceiveCoilName": "Householder"}


def test_secrets_of_a_series(scanner):
    secrets = secrets_of(scanner.series("FLAIR", StudyDate="20180305", StationName="NONE"))
    assert {"erika", "musterfrau", "ms0815", "19840312", "20180305", "house", "hospital", "a20180305"} <= set(secrets)
    assert "none" not in secrets, "a word that stands for nothing"
    assert all(len(secret) >= 3 for secret in secrets)
