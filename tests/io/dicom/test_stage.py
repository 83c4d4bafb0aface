"""The conversion as a whole: privacy, progress, cancel, converters that fail, and what a survey says of other files."""

from __future__ import annotations

import builtins
import io
import os
import stat
import sys
import threading
import time
from datetime import datetime

import numpy as np
import pydicom
import pytest

from dicom_scanner import (
    ECHO_TIMES_S,
    ROLES,
    TWO_VISITS,
    Geometry,
    Patient,
    Visit,
    set_elements,
    write_contrast,
    write_gre,
    write_study,
)
from napari_msqsm.errors import CancelledError, InputError
from napari_msqsm.io.dicom import converter
from napari_msqsm.io.dicom import stage as stage_module
from napari_msqsm.io.dicom.stage import stage

COMMON = {"patient": Patient(), "visit": Visit(), "number": 3}


def test_a_study_of_two_visits(tmp_path, staged):
    written = write_study(tmp_path / "dicom")
    result = staged(tmp_path / "dicom")
    assert result.left_out == ()
    assert [one.series_uid for one in result.series] == [one.series_uid for one in written]
    assert [one.acquired_at for one in result.series[:2]] == [datetime(2018, 3, 5, 9, 15)] * 2  # noqa: DTZ001
    assert result.series[6].acquired_at == datetime(2019, 6, 11, 13, 30)  # noqa: DTZ001
    assert len({one.study_uid for one in result.series}) == len(TWO_VISITS)
    assert {one.patient_key for one in result.series} == {Patient().patient_id}
    assert {one.number for one in result.series} == set(range(1, len(ROLES) + 2))
    gadolinium = result.series[5]
    assert gadolinium.description == "t1_mprage_sag_p2_iso_KM"
    assert gadolinium.header["ContrastBolusAgent"] == "Gadovist"
    assert gadolinium.header["PatientAge"] == "033Y"
    assert gadolinium.header["ImageType"] == ["ORIGINAL", "PRIMARY", "M", "ND"]
    assert result.series[2].header["InversionTime"] == 1800.0
    assert all(one.n_files == len(two.files) for one, two in zip(result.series, written, strict=True))


@pytest.mark.parametrize("alone", [True, False])
def test_a_folder_that_holds_just_one_image_is_read_as_it_is(tmp_path, staged, monkeypatch, alone):
    linked = []
    real = converter.link
    monkeypatch.setattr(converter, "link", lambda *args: linked.append(args) or real(*args))
    written = write_contrast(tmp_path / "dicom", "T1w", **COMMON)
    if not alone:
        (written.folder / "notes").touch()
    result = staged(tmp_path / "dicom")
    assert len(result.series[0].images) == 1
    assert len(linked) == (0 if alone else 1)
    assert all(path.is_file() for path in written.files)


def test_the_staging_folder_is_private_and_holds_images_only(tmp_path):
    write_gre(tmp_path / "dicom", Geometry(), ECHO_TIMES_S, **COMMON)
    result = stage(tmp_path / "dicom", tmp_path / "a" / "staging")
    if os.name == "posix":
        assert stat.S_IMODE(result.folder.stat().st_mode) == 0o700
    assert {path.suffix for path in result.folder.rglob("*") if path.is_file()} == {".nii", ".json"}


def test_dicom_files_are_not_touched(tmp_path, staged):
    written = write_gre(tmp_path / "dicom", Geometry(), ECHO_TIMES_S, **COMMON)
    before = {path: path.read_bytes() for one in written for path in one.files}
    staged(tmp_path / "dicom")
    assert {path: path.read_bytes() for path in before} == before
    assert {path for path in (tmp_path / "dicom").rglob("*") if path.is_file()} == set(before)


def test_mixed_series_in_one_folder_with_any_names(tmp_path, staged):
    """Names, nesting and hidden files do not matter; series of one number are told apart."""
    written = write_study(tmp_path / "other", TWO_VISITS[:1])
    heap = tmp_path / "dicom" / "deep" / "er" / "x y"
    heap.mkdir(parents=True)
    rng = np.random.default_rng(1)
    files = [path for one in written for path in one.files]
    for n in rng.permutation(len(files)):
        files[n].rename(heap / f"{rng.integers(1 << 40):x} ü")
    (heap / ".DS_Store").write_bytes(b"\0" * 300)
    (heap / "._hidden").write_bytes(next(iter(heap.iterdir())).read_bytes())
    result = staged(tmp_path / "dicom")
    assert [one.series_uid for one in result.series] == [one.series_uid for one in written]
    assert result.left_out == ()
    assert [problem for one in result.series for problem in one.problems] == []


def test_patients_that_share_a_series_uid_are_not_mixed(tmp_path, staged):
    for name in ("A", "B"):
        write_contrast(
            tmp_path / "dicom" / name,
            "T1w",
            patient=Patient(name),
            visit=Visit(),
            number=1,
            StudyInstanceUID="1.2.3",
            SeriesInstanceUID="1.2.3.4",
        )
    assert [one.patient_key for one in staged(tmp_path / "dicom").series] == ["A", "B"]


def test_other_files_are_counted_and_other_kinds_named(tmp_path, staged):
    folder = tmp_path / "dicom"
    write_contrast(folder, "T1w", **COMMON)
    (folder / "notes.txt").write_text("hello")
    (folder / "empty").touch()
    colour = write_contrast(folder, "T2w", **{**COMMON, "number": 4})
    set_elements(colour.files, SamplesPerPixel=3, PixelData=bytes(3 * 16 * 18 * 2))
    ct = write_contrast(folder, "FLAIR", **{**COMMON, "number": 5})
    set_elements(ct.files, Modality="CT")
    screenshot = write_contrast(folder, "FLAIR", **{**COMMON, "number": 6})
    set_elements(screenshot.files, ImagePositionPatient=None)
    report = pydicom.dcmread(screenshot.files[0])
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(report, keyword)
    report.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.22"
    report.save_as(folder / "report.dcm")
    result = staged(folder)
    assert len(result.series) == 1
    said = {line.what: line.why for line in result.left_out}
    assert said["2 files"] == "not DICOM"
    assert said["series 4 (6 files)"] == "it holds colour pictures, not a scan"
    assert said["series 5 (6 files)"] == "it is not MR but CT"
    assert "where its slices lie" in said["series 6 (6 files)"]
    assert "without an image" in said["1 file"]


def test_one_odd_file_does_not_refuse_its_series(tmp_path, staged):
    written = write_contrast(tmp_path / "dicom", "T1w", **COMMON)
    set_elements(written.files[:1], ImagePositionPatient=None)
    result = staged(tmp_path / "dicom")
    assert [(line.what, line.why[:21]) for line in result.left_out] == [
        (f"003_T1w/{written.files[0].name}", "it does not say where")
    ]
    assert result.series[0].n_files == 5


@pytest.mark.parametrize("folder", [False, True])
def test_what_may_not_be_read(tmp_path, staged, monkeypatch, folder):
    written = write_contrast(tmp_path / "dicom", "T1w", **COMMON)
    other = write_contrast(tmp_path / "dicom", "T2w", **{**COMMON, "number": 4})
    closed = str(other.folder if folder else written.files[0])
    real = os.scandir if folder else io.FileIO

    def guarded(path):
        if str(path) == closed:
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", guarded) if folder else monkeypatch.setattr(io, "FileIO", guarded)
    (line,) = staged(tmp_path / "dicom").left_out
    assert line.what == os.path.relpath(closed, tmp_path / "dicom")
    assert line.why == "it cannot be opened (Permission denied)"


@pytest.mark.skipif(os.name != "posix", reason="needs names that are not UTF-8")
def test_names_that_cannot_be_printed(tmp_path, staged):
    written = write_contrast(tmp_path / "dicom", "T1w", SeriesDescription="t1\nmprage", **COMMON)
    odd = os.fsencode(written.folder) + b"/a\nb\xff"
    os.rename(os.fsencode(written.files[0]), odd)  # noqa: PTH104  a name in bytes
    os.truncate(odd, 400)
    result = staged(tmp_path / "dicom")
    assert result.left_out[0].what == "003_T1w/a?b?"
    assert result.series[0].description == "t1?mprage"


def test_links_are_followed_once(tmp_path, staged):
    written = write_contrast(tmp_path / "elsewhere", "T1w", **COMMON)
    folder = tmp_path / "dicom"
    folder.mkdir()
    (folder / "a").symlink_to(written.folder)
    (folder / "b").symlink_to(written.folder)
    (folder / "loop").symlink_to(folder)
    single = folder / "single"
    single.symlink_to(written.files[0])
    series = staged(folder).series[0]
    assert series.n_files == 6
    assert series.problems == ("1 file of it is a copy and left out",)


def test_a_staging_folder_inside_the_dicom_folder_is_not_surveyed(tmp_path):
    write_contrast(tmp_path / "dicom", "T1w", **COMMON)
    result = stage(tmp_path / "dicom", tmp_path / "dicom" / "staging")
    assert len(result.series) == 1
    assert result.left_out == ()


@pytest.mark.parametrize("missing", ["does not exist", "is not a folder", "is not empty"])
def test_folders_that_cannot_be_used(tmp_path, missing):
    dicom, staging = tmp_path / "dicom", tmp_path / "staging"
    if missing == "is not a folder":
        dicom.touch()
    elif missing == "is not empty":
        dicom.mkdir()
        staging.mkdir()
        (staging / "mine").touch()
    with pytest.raises(InputError, match=missing):
        stage(dicom, staging)
    assert not staging.exists() or [path.name for path in staging.iterdir()] == ["mine"]


def test_progress_grows_to_the_end(tmp_path, staged):
    write_study(tmp_path / "dicom")
    told = []
    staged(tmp_path / "dicom", on_progress=lambda message, fraction: told.append((message, fraction)))
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert told[0][0] == "reading headers: 0 of 120 files"
    assert told[-1][0] == "converted 120 files"


@pytest.mark.parametrize("when", ["reading headers", "converting"])
@pytest.mark.parametrize("existed", [False, True])
def test_cancel_leaves_nothing(tmp_path, when, existed):
    write_study(tmp_path / "dicom")
    staging = tmp_path / "staging"
    if existed:
        staging.mkdir()
    cancel = threading.Event()

    def on_progress(message, fraction):
        if message.startswith(when):
            cancel.set()

    with pytest.raises(CancelledError):
        stage(tmp_path / "dicom", staging, on_progress=on_progress, cancel=cancel, workers=1)
    assert not staging.exists() or (existed and not any(staging.iterdir()))


def fake_converter(tmp_path, text):
    path = tmp_path / "dcm2niix"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o700)
    return lambda: str(path)


posix = pytest.mark.skipif(os.name != "posix", reason="needs executable scripts")


@posix
def test_cancel_ends_the_converters_soon(tmp_path, monkeypatch):
    script = (
        "import os, time, pathlib\npathlib.Path(__file__).with_name(str(os.getpid())+'.pid').touch()\ntime.sleep(60)"
    )
    monkeypatch.setattr(stage_module, "find_dcm2niix", fake_converter(tmp_path, script))
    write_contrast(tmp_path / "dicom", "T1w", **COMMON)
    cancel = threading.Event()
    threading.Timer(1.0, cancel.set).start()
    begin = time.monotonic()
    with pytest.raises(CancelledError):
        stage(tmp_path / "dicom", tmp_path / "staging", cancel=cancel)
    assert time.monotonic() - begin < 10
    assert not (tmp_path / "staging").exists()
    for pid in (int(path.stem) for path in tmp_path.glob("*.pid")):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@posix
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "dcm2niix crashed (signal 11)"),
        (
            "print('a')\nprint('Error: odd pixels in ' + __import__('sys').argv[-1])\nraise SystemExit(4)",
            "(exit code 4)",
        ),
        ("print('nothing')", "dcm2niix wrote no image"),
        ("import time\ntime.sleep(60)", "did not end in time"),
    ],
)
def test_a_converter_that_fails_is_one_sentence_of_its_series(tmp_path, monkeypatch, script, said):
    """Series 4 fails; series 3 is converted by the real one."""
    real = converter.find_dcm2niix()
    first = f"import sys, os\nif 'series-001' in sys.argv[-2]:\n    os.execv({real!r}, [{real!r}, *sys.argv[1:]])\n"
    monkeypatch.setattr(stage_module, "find_dcm2niix", fake_converter(tmp_path, first + script))
    monkeypatch.setattr(converter, "_LEAST_TIMEOUT_S", 2.0)
    write_contrast(tmp_path / "dicom", "T1w", **COMMON)
    write_contrast(tmp_path / "dicom", "T2w", **{**COMMON, "number": 4})
    result = stage(tmp_path / "dicom", tmp_path / "staging")
    assert [one.number for one in result.series] == [3]
    assert len(result.left_out) == 1
    assert result.left_out[0].what == "series 4 t2_tse_tra_320"
    assert said in result.left_out[0].why
    assert str(tmp_path) not in result.left_out[0].why
    assert "\n" not in result.left_out[0].why


def test_an_unforeseen_error_leaves_nothing(tmp_path, monkeypatch):
    def broken(*_):
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(stage_module, "run_batch", broken)
    write_contrast(tmp_path / "dicom", "T1w", **COMMON)
    with pytest.raises(RuntimeError, match="unforeseen"):
        stage(tmp_path / "dicom", tmp_path / "staging")
    assert not (tmp_path / "staging").exists()


@pytest.mark.parametrize("package", ["pydicom", "dcm2niix"])
def test_without_the_extra_one_sentence_says_how_to_install_it(tmp_path, monkeypatch, package):
    real = builtins.__import__

    def without(name, *rest):
        if name.split(".")[0] == package:
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"pip install 'napari-msqsm\[dicom\]'"):
        stage(tmp_path, tmp_path / "staging")
    assert not (tmp_path / "staging").exists()


@pytest.mark.parametrize("broken", ["link", "symlink"])
def test_where_links_are_not_possible_files_are_copied(tmp_path, staged, monkeypatch, broken):
    def refused(*_, **__):
        raise OSError(1, "not permitted")

    monkeypatch.setattr(os, "link", refused)
    if broken == "symlink":
        monkeypatch.setattr(os, "symlink", refused)
    (write_contrast(tmp_path / "dicom", "T1w", **COMMON).folder / "notes").touch()
    result = staged(tmp_path / "dicom")
    assert len(result.series[0].images) == 1
    assert not any(path.suffix == ".dcm" for path in result.folder.rglob("*"))
