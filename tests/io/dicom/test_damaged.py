"""Cut and changed files: one line each, never a traceback, and the others are converted."""

from __future__ import annotations

import contextlib
import shutil

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicom_scanner import ECHO_TIMES_S, Geometry, Patient, Visit, compress_files, cut, fuzz, write_gre
from napari_msqsm.io.dicom.elements import DamagedError, NotDicomError
from napari_msqsm.io.dicom.instance import NoImageError, read_instance
from napari_msqsm.io.dicom.stage import stage

SMALL = Geometry(shape=(10, 12, 4))
COMMON = {"patient": Patient(), "number": 3}


def write(folder, vendor, **options):
    return write_gre(folder, SMALL, ECHO_TIMES_S[:2], visit=Visit(vendor=vendor), **COMMON, **options)


def check_lines(result):
    """Everything that is said is one line."""
    said = [f"{line.what}: {line.why}" for line in result.left_out]
    said += [text for series in result.series for text in (*series.problems, *series.assumptions)]
    for text in said:
        assert text.strip()
        assert "\n" not in text
        assert "Traceback" not in text


@pytest.mark.parametrize("keep", [0, 64, 131, 132, 140, 400, 0.5, 0.9, -1])
def test_a_cut_file_is_one_line_and_its_image_is_left_out(tmp_path, staged, keep):
    written = write(tmp_path / "dicom", "siemens", parts=("mag",))[0]
    cut(written.files[1], keep)
    result = staged(tmp_path / "dicom")
    check_lines(result)
    lines = [line for line in result.left_out if written.files[1].name in line.what or "not DICOM" in line.why]
    assert len(lines) == 1
    assert len(result.left_out) == 1
    assert [image.echo_time_s for image in result.series[0].images] == [0.010]


@pytest.mark.parametrize("syntax_cut", [-4, -40, 0.9])
def test_cut_compressed_pixels(tmp_path, staged, syntax_cut):
    written = write(tmp_path / "dicom", "siemens", parts=("mag",))[0]
    compress_files(written.files, "rle")
    cut(written.files[1], syntax_cut)
    result = staged(tmp_path / "dicom")
    assert len(result.left_out) == 1
    assert "ends early" in result.left_out[0].why or "compressed pixels" in result.left_out[0].why


def test_a_cut_enhanced_file(tmp_path, staged):
    written = write(tmp_path / "dicom", "philips", enhanced=True)[0]
    cut(written.files[0], 0.95)
    result = staged(tmp_path / "dicom")
    assert result.series == ()
    assert len(result.left_out) == 1
    assert "ends early" in result.left_out[0].why


def test_an_enhanced_file_with_fewer_frame_headers_than_frames(tmp_path, staged):
    written = write(tmp_path / "dicom", "philips", enhanced=True)[0]
    dataset = pydicom.dcmread(written.files[0])
    del dataset.PerFrameFunctionalGroupsSequence[-1]
    dataset.save_as(written.files[0])
    result = staged(tmp_path / "dicom")
    assert result.series == ()
    assert "16 frames and the headers of 15" in result.left_out[0].why


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), n_bytes=st.integers(1, 30))
def test_the_reader_of_headers_ends_with_a_word_of_its_own(one_file, seed, n_bytes):
    path = one_file.with_name("fuzzed")
    shutil.copyfile(one_file, path)
    fuzz(path, seed, n_bytes, head=1700)
    with contextlib.suppress(NotDicomError, NoImageError, DamagedError):
        assert read_instance(str(path)).series_uid


@pytest.fixture(scope="module")
def one_file(tmp_path_factory):
    return write(tmp_path_factory.mktemp("one"), "philips", parts=("phase",))[0].files[0]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("vendor", ["siemens", "ge", "philips-enhanced"])
def test_fuzzed_headers(tmp_path, seed, vendor):
    """Every file of a series changed in some places: pydicom, dcm2niix and what reads its results stay calm."""
    enhanced = vendor.endswith("enhanced")
    options = {"enhanced": True} if enhanced else {}
    for one in write(tmp_path / "dicom", vendor.split("-")[0], **options):
        for n, path in enumerate(one.files):
            fuzz(path, 1000 * seed + n, 40 if enhanced else 3, head=path.stat().st_size - (100 if enhanced else 240))
    result = stage(tmp_path / "dicom", tmp_path / "staging", workers=2)
    check_lines(result)
    assert result.series or result.left_out


@pytest.mark.slow
@pytest.mark.parametrize("vendor", ["siemens", "ge", "philips", "canon", "uih", "siemens-xa", "philips-enhanced"])
def test_many_fuzzed_headers(tmp_path, vendor):
    enhanced = vendor in ("siemens-xa", "philips-enhanced")
    options = {"enhanced": True} if vendor.endswith("enhanced") else {}
    written = write(tmp_path / "dicom", vendor.removesuffix("-enhanced"), **options)
    for seed in range(25):
        shutil.copytree(tmp_path / "dicom", tmp_path / "fuzzed")
        for one in written:
            for n, path in enumerate(one.files):
                own = tmp_path / "fuzzed" / path.relative_to(tmp_path / "dicom")
                fuzz(own, 7919 * seed + n, 30 if enhanced else 2)
        result = stage(tmp_path / "fuzzed", tmp_path / "staging", workers=2)
        check_lines(result)
        assert result.series or result.left_out
        shutil.rmtree(tmp_path / "fuzzed")
        shutil.rmtree(tmp_path / "staging")
