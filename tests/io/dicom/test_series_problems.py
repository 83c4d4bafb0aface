"""What is wrong with a series is said in one sentence each; what is whole is still converted."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pydicom
import pytest

from dicom_scanner import ECHO_TIMES_S, Geometry, Patient, Visit, double, set_elements, write_contrast, write_gre
from napari_msqsm.io.dicom import converter, run
from napari_msqsm.io.dicom.stacks import Stack, batches

GEOMETRY = Geometry()
COMMON = {"patient": Patient(), "number": 3}


def write(folder, vendor="siemens", **options):
    return write_gre(folder, GEOMETRY, ECHO_TIMES_S, visit=Visit(vendor=vendor), **COMMON, **options)


def problems_of(result):
    return [problem for series in result.series for problem in series.problems]


def images_of(result):
    return [(image.part, image.echo_time_s) for series in result.series for image in series.images]


def test_the_sentences_have_one_line_and_no_full_stop(tmp_path, staged):
    written = write(tmp_path / "dicom", parts=("mag",))[0]
    written.files[2].unlink()
    double(written.files[0], "copy")
    for problem in problems_of(staged(tmp_path / "dicom")):
        assert "\n" not in problem
        assert not problem.endswith(".")


def test_copies_are_dropped_and_said(tmp_path, staged):
    written = write(tmp_path / "dicom", parts=("mag",))[0]
    for n in range(3):
        double(written.files[n], f"copy-{n}")
    series = staged(tmp_path / "dicom").series[0]
    assert series.n_files == len(written.files)
    assert series.problems == ("3 files of it are copies and left out",)
    assert len(series.images) == 3


def test_instance_numbers_may_repeat(tmp_path, staged):
    written = write(tmp_path / "dicom", parts=("mag",))[0]
    numbers = [pydicom.dcmread(path, stop_before_pixels=True).InstanceNumber for path in written.files]
    assert len(set(numbers)) < len(numbers)
    set_elements(written.files, InstanceNumber=1)
    series = staged(tmp_path / "dicom").series[0]
    assert series.problems == ()
    assert len(series.images) == 3


def test_one_identifier_for_different_images_keeps_them(tmp_path, staged):
    written = write(tmp_path / "dicom", parts=("mag",))[0]
    set_elements(written.files, SOPInstanceUID="1.2.3")
    series = staged(tmp_path / "dicom").series[0]
    assert len(series.images) == 3
    assert "17 files of it bear the identifier" in series.problems[0]


def test_a_slice_that_is_missing_between_others(tmp_path, staged):
    written = write(tmp_path / "dicom", parts=("phase",))[0]
    written.files[GEOMETRY.shape[2] + 2].unlink()
    result = staged(tmp_path / "dicom")
    assert images_of(result) == [("phase", 0.005), ("phase", 0.015)]
    assert problems_of(result)[0] == "phase at 10 ms: 1 of 6 slices are missing between others; it is left out"


def test_an_echo_that_was_aborted(tmp_path, staged):
    written = write(tmp_path / "dicom", parts=("mag",))[0]
    for path in written.files[-2:]:
        path.unlink()
    result = staged(tmp_path / "dicom")
    assert images_of(result) == [("mag", 0.005), ("mag", 0.010)]
    assert problems_of(result) == ["magnitude at 15 ms: 4 of 6 slices are there; it is left out"]


@pytest.mark.parametrize(
    ("vendor", "sentence"), [("ge", "54 images, 48 are here"), ("philips", "3 echoes, 2 are here")]
)
def test_fewer_than_the_scanner_says_that_it_made(tmp_path, staged, vendor, sentence):
    parts = {"ge": ("mag", "real", "imag"), "philips": ("mag",)}[vendor]
    written = write(tmp_path / "dicom", vendor, parts=parts)[0]
    for path in written.files[-GEOMETRY.shape[2] :]:
        path.unlink()
    assert any(sentence in problem for problem in problems_of(staged(tmp_path / "dicom")))


def test_an_aborted_series_of_one_image_is_told_by_the_scanner(tmp_path, staged):
    written = write(tmp_path / "dicom", "philips", parts=("mag",))[0]
    for n in range(3):
        for path in written.files[n * 6 + 4 : n * 6 + 6]:
            path.unlink()
    result = staged(tmp_path / "dicom")
    assert len(images_of(result)) == 3
    assert "the scanner made 6 slices, 4 are here; it was aborted, or not all were copied" in problems_of(result)


def test_an_echo_without_phase(tmp_path, staged):
    written = write(tmp_path / "dicom", "philips")[0]
    for path in written.files[-GEOMETRY.shape[2] :]:
        path.unlink()
    assert "the echo at 15 ms has no phase" in problems_of(staged(tmp_path / "dicom"))


def test_an_enhanced_file_whose_last_echo_is_not_whole(tmp_path, staged, error_in_steps):
    written = write(tmp_path / "dicom", "philips", enhanced=True, parts=("mag",))[0]
    dataset = pydicom.dcmread(written.files[0])
    dataset.NumberOfFrames = 16
    dataset.PerFrameFunctionalGroupsSequence = dataset.PerFrameFunctionalGroupsSequence[:16]
    dataset.PixelData = dataset.PixelData[: 16 * 2 * dataset.Rows * dataset.Columns]
    dataset.save_as(written.files[0])
    result = staged(tmp_path / "dicom")
    assert images_of(result) == [("mag", 0.005), ("mag", 0.010)]
    assert problems_of(result)[0] == "magnitude at 15 ms: 4 of 6 slices are there; it is left out"
    assert all(error_in_steps(written, image) <= 1.05 for image in result.series[0].images)


def test_repetitions_are_said(tmp_path, staged):
    visit = Visit()
    first = write_contrast(tmp_path / "dicom", "T2w", visit=visit, **COMMON)
    again = write_contrast(tmp_path / "other", "T2w", visit=visit, **COMMON)
    for n, path in enumerate(again.files):
        set_elements([path], SOPInstanceUID=f"1.2.3.{n}", AcquisitionNumber=2, InstanceNumber=7 + n)
        path.rename(first.folder / f"again-{n}")
    series = staged(tmp_path / "dicom").series[0]
    assert series.images[0].shape == (16, 18, 6, 2)
    assert series.problems == ("magnitude at 100 ms: 2 volumes (repetitions, or coils that were not combined)",)


def test_an_unfinished_repetition_leaves_the_first(tmp_path, staged, error_in_steps):
    visit = Visit()
    first = write_contrast(tmp_path / "dicom", "T2w", visit=visit, **COMMON)
    again = write_contrast(tmp_path / "other", "T2w", visit=visit, seed=5, **COMMON)
    for n, path in enumerate(again.files[:4]):
        set_elements([path], SOPInstanceUID=f"1.2.3.{n}", AcquisitionNumber=2, InstanceNumber=7 + n)
        path.rename(first.folder / f"again-{n}")
    series = staged(tmp_path / "dicom").series[0]
    assert series.images[0].shape == (16, 18, 6)
    assert "one whole volume and 4 slices of an unfinished one" in series.problems[0]
    assert error_in_steps(first, series.images[0]) <= 1.05


@pytest.mark.parametrize(("vendor", "part"), [("canon", "phase"), ("canon", "mag"), ("philips", "mag")])
def test_slices_that_the_header_scales_differently(tmp_path, staged, error_in_steps, vendor, part):
    written = next(one for one in write(tmp_path / "dicom", vendor, parts=(part,)) if part in one.values)
    for path in written.files:
        dataset = pydicom.dcmread(path)
        factor = 1 + 0.1 * (dataset.InstanceNumber % GEOMETRY.shape[2])
        stored = np.round(dataset.pixel_array / factor)
        dataset.RescaleSlope = f"{float(dataset.get('RescaleSlope', 1)) * factor:.10g}"
        dataset.RescaleIntercept = "0"
        dataset.PixelData = stored.astype(dataset.pixel_array.dtype).tobytes()
        dataset.save_as(path)
    images = [image for series in staged(tmp_path / "dicom").series for image in series.images]
    assert len(images) == 3
    assert all(error_in_steps(written, image) <= 1.8 for image in images)


def test_philips_phase_of_which_slices_are_scaled_differently_is_not_guessed(tmp_path, staged):
    written = write(tmp_path / "dicom", "philips", parts=("phase",))[0]
    set_elements(written.files[::2], RescaleSlope="1.6", RescaleIntercept="-3276")
    series = staged(tmp_path / "dicom").series[0]
    assert "scales its slices differently" in series.problems[0]
    assert all("Units" not in image.sidecar for image in series.images)


def test_single_coils_are_refused(tmp_path, staged):
    """Siemens without combination: every image once per coil element, named in a private element."""
    written = write(tmp_path / "dicom", parts=("mag",))[0]
    for n, path in enumerate(written.files):
        for coil in ("H1P", "H2P", "H3P"):
            dataset = pydicom.dcmread(path)
            dataset.private_block(0x0051, "SIEMENS MR HEADER", create=True).add_new(0x0F, "LO", coil)
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{n}.{coil[1]}"
            dataset.save_as(path.with_name(f"{n}-{coil}"))
        path.unlink()
    result = staged(tmp_path / "dicom")
    assert result.series == ()
    assert len(result.left_out) == 1
    assert "single receive coils (H1P, H2P, H3P …); export the combined images" in result.left_out[0].why


def test_combined_coils_with_one_name_are_not(tmp_path, staged):
    written = write(tmp_path / "dicom", parts=("mag",))[0]
    for path in written.files:
        dataset = pydicom.dcmread(path)
        dataset.private_block(0x0051, "SIEMENS MR HEADER", create=True).add_new(0x0F, "LO", "HEA;HEP")
        dataset.save_as(path)
    result = staged(tmp_path / "dicom")
    assert len(result.series[0].images) == 3
    assert problems_of(result) == []


def test_three_planes_of_a_localizer_are_three_images(tmp_path, staged):
    for n, plane in enumerate(("axial", "sagittal", "coronal")):
        written = write_contrast(
            tmp_path / "dicom",
            "T2w",
            visit=Visit(),
            geometry=Geometry(plane=plane, shape=(16, 16, 3)),
            description="localizer",
            **COMMON,
        )
        for k, path in enumerate(written.files):
            set_elements([path], SOPInstanceUID=f"1.2.{n}.{k}", InstanceNumber=3 * n + k)
            path.rename(path.with_name(f"{plane}-{k}"))
    series = staged(tmp_path / "dicom").series[0]
    assert len(series.images) == 3
    assert all(image.shape == (16, 16, 3) for image in series.images)
    assert series.problems == ("magnitude at 100 ms: there is more than one image of it",)


def test_echoes_that_one_run_does_not_tell_apart_are_converted_one_by_one(
    tmp_path, staged, monkeypatch, error_in_steps
):
    written = write(tmp_path / "dicom", "philips")[0]
    monkeypatch.setattr(run, "_echoes", lambda *_: None)
    result = staged(tmp_path / "dicom")
    assert len(images_of(result)) == 6
    assert all(error_in_steps(written, image) <= 1.05 for image in result.series[0].images)
    assert problems_of(result) == []


def test_echoes_of_one_part_share_a_run(tmp_path, staged, monkeypatch):
    runs = []
    real = converter.convert
    monkeypatch.setattr(converter, "convert", lambda *args: runs.append(args) or real(*args))
    write(tmp_path / "dicom", "philips")
    assert len(images_of(staged(tmp_path / "dicom"))) == 6
    assert len(runs) == 2


@pytest.mark.parametrize(
    ("n_echoes", "n_slices", "sizes"), [(5, 50, [5]), (11, 52, [6, 5]), (2, 900, [1, 1]), (1, 1, [1])]
)
def test_runs_are_few_and_alike(n_echoes, n_slices, sizes):
    instance = SimpleNamespace(image_type="", pixels=(1, 1), orientation=(1.0,))
    stacks = [Stack((instance,) * n_slices, "mag", 5.0 * (n + 1), n_slices) for n in range(n_echoes)]
    assert sorted(len(batch) for batch in batches(stacks)) == sorted(sizes)
    assert [stack for batch in batches(stacks) for stack in batch] == stacks


def test_what_one_run_could_mix_up_is_kept_apart():
    instance = SimpleNamespace(image_type="", pixels=(1, 1), orientation=(1.0,))
    other = SimpleNamespace(image_type="", pixels=(2, 2), orientation=(1.0,))
    stacks = [
        Stack((instance,), "mag", 5.0, 1),
        Stack((instance,), "mag", 5.0, 1),
        Stack((other,), "mag", 10.0, 1),
        Stack((other,), "phase", 15.0, 1),
        Stack((other,), "phase", None, 1),
    ]
    assert [len(batch) for batch in batches(stacks)] == [1] * 5
