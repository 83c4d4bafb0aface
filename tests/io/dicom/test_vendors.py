"""Every vendor's gradient-echo series, classic and enhanced: each voxel in its place, with its value."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from dicom_scanner import ECHO_TIMES_S, SYNTAXES, Geometry, Patient, Visit, compress_files, write_gre
from napari_msqsm.io.gre import load_gre

ALL = ("mag", "phase", "real", "imag")
OBLIQUE = Geometry(oblique_deg=(12, -5, 3))
CASES = {
    "siemens-12-bit": ("siemens", {}),
    "siemens-signed": ("siemens", {"rescaled": True}),
    "siemens-xa": ("siemens-xa", {}),
    "siemens-xa-in-one": ("siemens-xa", {"together": True}),
    "siemens-xa-mixed": ("siemens-xa", {"together": True, "mixed": True}),
    "siemens-xa-single-frames": ("siemens-xa", {"single_frames": True}),
    "ge-all-parts": ("ge", {"parts": ALL}),
    "ge-signs-in-order": ("ge", {"parts": ALL, "alternate": False}),
    "ge-real-imaginary": ("ge", {"parts": ("real", "imag")}),
    "ge-without-private-kind": ("ge", {"parts": ALL, "kind_in_header": False}),
    "philips": ("philips", {"parts": ALL}),
    "philips-normalized": ("philips", {"kind": "normalized"}),
    "philips-enhanced": ("philips", {"enhanced": True, "parts": ALL}),
    "philips-enhanced-real-world": ("philips", {"enhanced": True, "real_world": True}),
    "canon": ("canon", {}),
    "canon-enhanced": ("canon", {"enhanced": True}),
    "uih": ("uih", {}),
    "uih-enhanced": ("uih", {"enhanced": True}),
    "ge-enhanced": ("ge", {"enhanced": True, "parts": ALL}),
}


def write(folder, vendor, geometry=OBLIQUE, **options):
    return write_gre(folder, geometry, ECHO_TIMES_S, patient=Patient(), visit=Visit(vendor=vendor), number=3, **options)


def parts_of(staged, written):
    """(what was written, image) of every converted image."""
    by_uid = {one.series_uid: one for one in written}
    return [(by_uid[series.series_uid], image) for series in staged.series for image in series.images]


@pytest.mark.parametrize("case", CASES)
def test_every_voxel_keeps_its_place_and_its_value(tmp_path, staged, error_in_steps, case):
    vendor, options = CASES[case]
    written = write(tmp_path / "dicom", vendor, **options)
    result = staged(tmp_path / "dicom")
    assert result.left_out == ()
    assert [problem for series in result.series for problem in series.problems] == []
    pairs = parts_of(result, written)
    promised = {(one.series_uid, part, time) for one in written for part in one.values for time in ECHO_TIMES_S}
    assert {(one.series_uid, image.part, image.echo_time_s) for one, image in pairs} == promised
    assert len(pairs) == len(promised)
    for one, image in pairs:
        assert image.shape == tuple(nib.load(image.path).shape)
        assert error_in_steps(one, image) <= 1.05 if image.part != "phase" else error_in_steps(one, image) <= 1.0


@pytest.mark.parametrize("plane", ["sagittal", "coronal", "axial"])
@pytest.mark.parametrize("oblique", [pytest.param((0.0, 0.0, 0.0), marks=pytest.mark.slow), (25.0, -17.0, 9.0)])
@pytest.mark.parametrize(
    "case",
    [
        "siemens-12-bit",
        "philips-enhanced",
        *(pytest.param(case, marks=pytest.mark.slow) for case in ("ge-all-parts", "siemens-xa-in-one", "uih", "canon")),
    ],
)
def test_orientation_is_exact(tmp_path, staged, error_in_steps, case, plane, oblique):
    vendor, options = CASES[case]
    geometry = Geometry(plane=plane, oblique_deg=oblique, shape=(12, 15, 5))
    written = write(tmp_path / "dicom", vendor, geometry, **options)
    pairs = parts_of(staged(tmp_path / "dicom"), written)
    assert pairs
    for one, image in pairs:
        assert error_in_steps(one, image) <= 1.05


@pytest.mark.parametrize("case", ["siemens-12-bit", "siemens-xa", "ge-all-parts", "philips-normalized", "uih", "canon"])
def test_phase_needs_no_declared_range_afterwards(tmp_path, staged, case):
    """What was imported reconstructs as it is: units, echo times and sign come with it."""
    vendor, options = CASES[case]
    written = write(tmp_path / "dicom", vendor, **options)
    images = [image for series in staged(tmp_path / "dicom").series for image in series.images]
    by_part = {part: [image for image in images if image.part == part] for part in ("mag", "phase")}
    sidecars = {image.path: image.sidecar for image in images}
    assert {image.sidecar["Units"] for image in by_part["phase"]} == {"rad"}
    series = load_gre(
        [image.path for image in by_part["mag"]], [image.path for image in by_part["phase"]], sidecars=sidecars
    )
    np.testing.assert_allclose(series.echo_times_s, ECHO_TIMES_S, atol=1e-7)
    step = next(one.step["phase"] for one in written if "phase" in one.step)
    first = next(one for one in written if "phase" in one.values)
    assert np.std(first.values["phase"]) > 10 * step


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize(
    "case", ["siemens-12-bit", "philips-enhanced", pytest.param("siemens-xa-in-one", marks=pytest.mark.slow)]
)
def test_compressed_pixels(tmp_path, staged, error_in_steps, syntax, case):
    vendor, options = CASES[case]
    geometry = Geometry(shape=(36, 40, 5), oblique_deg=(12, -5, 3))  # JPEG 2000 with six levels needs 32 pixels
    written = write(tmp_path / "dicom", vendor, geometry, **options)
    for one in written:
        compress_files(one.files, syntax)
    result = staged(tmp_path / "dicom")
    pairs = parts_of(result, written)
    assert len(pairs) == sum(len(one.values) * len(ECHO_TIMES_S) for one in written)
    for one, image in pairs:
        assert error_in_steps(one, image) <= 1.05


def test_values_stay_the_stored_integers(tmp_path, staged):
    """Lossless: only the header's scaling says what they mean."""
    written = write(tmp_path / "dicom", "siemens", rescaled=True)
    phase = [image for one, image in parts_of(staged(tmp_path / "dicom"), written) if image.part == "phase"]
    for image in phase:
        loaded = nib.load(image.path)
        stored = np.asanyarray(loaded.dataobj.get_unscaled())
        assert stored.dtype.kind == "i"
        assert 0 <= stored.min() < 200
        assert 3900 < stored.max() <= 4095
        assert loaded.dataobj.slope == pytest.approx(np.pi / 2048, rel=1e-6)


def test_canon_without_a_rescale_is_not_guessed(tmp_path, staged):
    write(tmp_path / "dicom", "canon", rescaled=False)
    phase = [series for series in staged(tmp_path / "dicom").series if "phase" in series.parts]
    assert len(phase) == 1
    assert len(phase[0].problems) == 1
    assert "--phase-range" in phase[0].problems[0]
    assert all("Units" not in image.sidecar for image in phase[0].images)


@pytest.mark.parametrize(
    ("vendor", "said"),
    [("siemens", "+1"), ("ge", "-1"), ("philips", "+1"), ("uih", "-1"), ("canon", "not known")],
)
def test_the_sign_that_is_assumed_is_said(tmp_path, staged, vendor, said):
    options = {"parts": ("mag", "phase")} if vendor == "ge" else {}
    write(tmp_path / "dicom", vendor, **options)
    phase = next(series for series in staged(tmp_path / "dicom").series if "phase" in series.parts)
    assert any(text.startswith(f"phase sign: {said}") for text in phase.assumptions)
