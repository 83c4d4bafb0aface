"""The small reader of headers against pydicom, over the encodings of the standard."""

from __future__ import annotations

import io
import shutil

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from dicom_scanner import Geometry, Patient, Visit, cut, fuzz, write_contrast, write_gre
from napari_msqsm.io.dicom.elements import DamagedError, NotDicomError, OtherEncodingError, read_elements
from napari_msqsm.io.dicom.instance import WANTED, read_instance
from napari_msqsm.io.dicom.layout import Layout

SERIES_UID = 0x0020000E


def read(path, wanted=WANTED):
    with io.FileIO(path) as stream:
        return read_elements(stream, path.stat().st_size, wanted)


@pytest.fixture
def path(tmp_path):
    """One slice with nested sequences, of known and of unknown length, and a long private block before its UIDs."""
    written = write_contrast(tmp_path, "T1w", patient=Patient(), visit=Visit(), number=4)
    path = written.files[0]
    dataset = pydicom.dcmread(path)
    inner = Dataset()
    inner.SeriesInstanceUID = "1.2.3"
    inner.ReferencedSOPInstanceUID = "1.2.3.4"
    outer = Dataset()
    outer.ReferencedSeriesSequence = Sequence([inner, inner])
    outer.SeriesInstanceUID = "1.2.9"
    outer.ReferencedSeriesSequence.is_undefined_length = True
    dataset.ReferencedStudySequence = Sequence([outer])
    dataset["ReferencedStudySequence"].is_undefined_length = True
    dataset.ReferencedImageSequence = Sequence([inner])
    block = dataset.private_block(0x0019, "A VENDOR", create=True)
    block.add_new(0x10, "OB", bytes(50_000))
    dataset.save_as(path)
    return path


def stored_as(path, syntax):
    dataset = pydicom.dcmread(path)
    if syntax == ExplicitVRBigEndian:
        pixels = np.frombuffer(dataset.PixelData, "<u2").byteswap().tobytes()
        dataset.PixelData = pixels
    dataset.file_meta.TransferSyntaxUID = syntax
    little_endian = syntax.is_little_endian
    dcmwrite(path, dataset, implicit_vr=syntax.is_implicit_VR, little_endian=little_endian, force_encoding=True)
    return path


def check(path):
    """Compare with pydicom, at the top level only."""
    dataset = pydicom.dcmread(path)
    found = read(path)
    assert found.values[SERIES_UID].decode().strip("\0 ") == dataset.SeriesInstanceUID
    for tag, value in found.values.items():
        element = dataset.get(tag)
        if element is None or tag < 0x00080000:
            continue
        text = "\\".join(map(str, element.value)) if element.VM > 1 else str(element.value)
        if element.VR in ("US", "SS"):
            text = str(int.from_bytes(value, "little"))
            assert text == str(element.value)
        else:
            assert value.decode().strip("\0 ") == text
    with path.open("rb") as stream:
        stream.seek(found.pixel_offset)
        assert stream.read(found.pixel_bytes) == dataset.PixelData


def test_explicit_values_and_pixels(path):
    check(path)


def test_implicit_values_and_pixels(path):
    check(stored_as(path, ImplicitVRLittleEndian))


@pytest.mark.parametrize("syntax", [ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_rare_encodings_are_left_to_pydicom(path, syntax):
    before = read_instance(str(path))
    stored_as(path, syntax)
    with pytest.raises(OtherEncodingError):
        read(path)
    assert read_instance(str(path)).content == before.content


@pytest.mark.parametrize("implicit", [False, True])
def test_files_without_preamble_and_meta_information(path, implicit):
    dataset = pydicom.dcmread(path)
    bare = Dataset(dict(dataset.items()))
    bare.save_as(path, implicit_vr=implicit, little_endian=True)
    assert read(path).values[SERIES_UID].decode().strip("\0 ") == dataset.SeriesInstanceUID


@pytest.mark.parametrize("text", [b"", b"\x08", b"hello " * 100, b"\0" * 1000, b"\x1f\x8b" + bytes(300), b"PK\x03\x04"])
def test_other_files_are_not_dicom(tmp_path, text):
    path = tmp_path / "something"
    path.write_bytes(text)
    with pytest.raises(NotDicomError):
        read(path)


def test_every_length_is_either_read_or_refused(path):
    """A header cut anywhere never ends in another error."""
    whole = path.read_bytes()
    begin = whole.index(b"\x08\x00\x05\x00CS")
    for keep in {*range(begin, begin + 900, 7), *range(begin + 900, len(whole), 997)}:
        path.write_bytes(whole[:keep])
        with pytest.raises(DamagedError):
            read_instance(str(path))


def test_enhanced_files_are_read_at_the_top_level(tmp_path):
    geometry = Geometry()
    visit = Visit(vendor="philips")
    written = write_gre(tmp_path, geometry, (0.005,), patient=Patient(), visit=visit, number=1, enhanced=True)
    instance = read_instance(str(written[0].files[0]))
    assert instance.enhanced
    assert instance.frames == 2 * geometry.shape[2]
    assert instance.position is None


def test_pixels_that_are_not_all_there(tmp_path):
    written = write_contrast(tmp_path, "T2w", patient=Patient(), visit=Visit(), number=4)
    cut(written.files[0], -2)
    with pytest.raises(DamagedError, match=r"it ends early: 574 of 576 bytes"):
        read_instance(str(written.files[0]))


def test_a_known_layout_changes_nothing(tmp_path, shared_data):
    """Files of several vendors in turn, some cut: the same values, pixels and refusals with and without it."""
    files = [path for vendor in ("siemens", "ge", "philips", "uih") for path in series_of(tmp_path / vendor, vendor)]
    files += sorted((shared_data / "real" / "dcm_qa_fmap_ge" / "6_CV_Neuro").iterdir())
    order = [*files, *np.random.default_rng(3).permutation(np.array(files, object))]
    layout = Layout()
    for n, path in enumerate(order):
        if n % 7 == 3 and str(path).startswith(str(tmp_path)):
            cut(path, 0.3 + 0.1 * (n % 5))
        assert outcome(path, layout) == outcome(path, None)


def series_of(folder, vendor):
    geometry = Geometry(shape=(8, 9, 5))
    written = write_gre(folder, geometry, (0.005, 0.010), patient=Patient(), visit=Visit(vendor=vendor), number=1)
    return [path for one in written for path in one.files]


def outcome(path, layout):
    try:
        with io.FileIO(path) as stream:
            return read_elements(stream, path.stat().st_size, WANTED, layout)
    except (DamagedError, NotDicomError) as error:
        return type(error), str(error)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), n_bytes=st.integers(1, 6))
def test_a_known_layout_sees_the_same_damage(two_files, seed, n_bytes):
    layout = Layout()
    outcome(two_files[0], layout)
    damaged = two_files[0].with_name("damaged")
    shutil.copyfile(two_files[1], damaged)
    fuzz(damaged, seed, n_bytes, head=1700)
    assert outcome(damaged, layout) == outcome(damaged, None)
    assert outcome(two_files[1], layout) == outcome(two_files[1], None)


@pytest.fixture(scope="module")
def two_files(tmp_path_factory):
    return series_of(tmp_path_factory.mktemp("two"), "ge")[:2]
