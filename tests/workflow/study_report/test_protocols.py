"""Protocols, and where they differ."""

from __future__ import annotations

from napari_msqsm.workflow.study_report.protocols import differences, protocols_of


def of_echoes(made):
    return [protocol for protocol in protocols_of(made.study) if protocol.image == "GRE"]


def test_one_protocol_does_not_differ(made):
    made.visit("01", "01")
    made.visit("02", "01")
    (protocol,) = of_echoes(made)
    assert protocol.values == {
        "echo times": "5 10 ms",
        "voxel size": "1×1×1 mm",
        "matrix": "4×5×6",
        "TR": "49 ms",
        "flip angle": "15°",
        "field strength": "3 T",
        "manufacturer": "Siemens",
        "model": "Skyra",
        "software": "VE11",
    }
    assert protocol.sessions == ("sub-01_ses-01", "sub-02_ses-01")
    assert differences(protocols_of(made.study)) == ()


def test_differences_within_patients_come_first(made):
    made.visit("01", "01")
    made.visit("01", "02", SoftwareVersions="VE12", voxel_mm=1.5)
    made.visit("02", "01", times_s=(0.004, 0.008, 0.012))
    assert [protocol.letter for protocol in of_echoes(made)] == ["A", "B", "C"]
    found = {one.parameter: one for one in differences(protocols_of(made.study))}
    assert list(found)[-1] == "echo times"
    assert found["software"].within_patients == ("sub-01",)
    assert found["voxel size"].values == {
        "1×1×1 mm": ("sub-01_ses-01", "sub-02_ses-01"),
        "1.5×1.5×1.5 mm": ("sub-01_ses-02",),
    }
    assert found["echo times"].within_patients == ()
    assert "changes between visits of sub-01" in str(found["software"])


def test_what_is_unknown_is_no_difference_within_a_patient(made):
    made.visit("01", "01")
    made.visit("01", "02", SoftwareVersions=None)
    (one,) = differences(protocols_of(made.study))
    assert one.within_patients == ()
    assert "unknown (sub-01_ses-02)" in str(one)


def test_images_that_differ_alike_are_named_together(made):
    for session in ("01", "02"):
        made.visit("01", session, contrasts=("FLAIR", "T1w"))
    for name in ("FLAIR", "T1w"):
        path = made.root / "sub-01" / "ses-02" / "anat" / f"sub-01_ses-02_{name}.nii.gz"
        made.image(path, {"Manufacturer": "GE"})
    by_parameter = {one.parameter: one.image for one in differences(protocols_of(made.study))}
    assert by_parameter["manufacturer"] == "FLAIR, T1w"


def test_a_damaged_image_leaves_its_geometry_open(made):
    made.visit("01", "01")
    next((made.root / "sub-01" / "ses-01" / "anat").glob("*echo-1_part-mag*.nii.gz")).write_bytes(b"x")
    assert of_echoes(made)[0].values["matrix"] == ""
