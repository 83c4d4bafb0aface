"""Gradient-echo files that cannot be used end in one sentence."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_msqsm.errors import MetadataError, ShapeMismatchError
from napari_msqsm.io.gre import load_gre

SHAPE = (6, 7, 8)
TIMES_S = (0.004, 0.009, 0.015)
SIDECAR = {"MagneticFieldStrength": 3, "ImagingFrequency": 127.74, "Manufacturer": "Siemens"}


def test_files_of_two_kinds_are_refused(series_files, complex_files, refused):
    magnitude, phase = series_files()
    parts = complex_files()
    with refused("both"):
        load_gre(real=parts["real"])
    with refused("one kind"):
        load_gre(magnitude, **parts)
    with refused("no magnitude"):
        load_gre([], phase)


def test_same_file_twice_is_refused(series_files, refused):
    magnitude, phase = series_files()
    with refused("magnitude", "twice"):
        load_gre([magnitude[0], magnitude[0]], phase[:2])


def test_missing_echo_is_refused(series_files, refused):
    magnitude, phase = series_files()
    with refused("3 echoes of magnitude", "2 of phase", error=ShapeMismatchError):
        load_gre(magnitude, phase[:2])


def test_pair_of_different_echoes_is_refused(series_files, refused):
    magnitude, phase = series_files()
    with refused("sub-01_echo-1_part-mag_MEGRE.nii", "sub-01_echo-2_part-phase_MEGRE.nii"):
        load_gre(magnitude[:2], phase[1:])
    magnitude, phase = series_files(times=False)
    with refused(magnitude[0].name, phase[1].name):
        load_gre(magnitude[:2], phase[1:], echo_times_s=TIMES_S[:2])


def test_two_files_of_one_echo_are_refused(series_files, tmp_path, refused):
    magnitude, phase = series_files(2, times=False)
    other = tmp_path / "run-2_echo-1_part-mag.nii"
    other.write_bytes(magnitude[0].read_bytes())
    with refused("same echo"):
        load_gre([magnitude[0], other], phase, echo_times_s=TIMES_S[:2], b0_tesla=3)


def test_two_files_of_one_echo_time_are_refused(series_files, write_nifti, refused, echo_values):
    magnitude, phase = series_files()
    write_nifti(magnitude[1], echo_values(1)[0], sidecar={**SIDECAR, "EchoTime": TIMES_S[0]})
    with refused("same echo"):
        load_gre(magnitude, phase)


def test_same_file_as_magnitude_and_phase_is_refused(series_files, refused):
    magnitude, _ = series_files()
    with refused(magnitude[0], "as magnitude and as phase"):
        load_gre(magnitude, magnitude)


def test_one_part_in_order_and_the_other_not_is_refused(series_files, tmp_path, refused):
    magnitude, phase = series_files()
    plain = [path.rename(tmp_path / f"{name}.nii") for path, name in zip(magnitude, "abc", strict=True)]
    with refused("a.nii", "nothing says which echo"):
        load_gre([plain[n] for n in (0, 2, 1)], [phase[n] for n in (0, 2, 1)])
    assert load_gre(plain, phase).echo_times_s == TIMES_S


@pytest.mark.parametrize("image_type", [["ORIGINAL", "PRIMARY", "M", "ND"], ["ORIGINAL", "PRIMARY", "MAGNITUDE"]])
def test_magnitude_given_as_phase_is_refused(series_files, refused, image_type):
    magnitude, phase = series_files(sidecar={**SIDECAR, "ImageType": image_type})
    assert load_gre(magnitude).phase_rad is None
    with refused(phase[0], "is a magnitude by its sidecar", "give the phase"):
        load_gre(magnitude, phase)


def test_magnitude_given_as_real_part_is_refused(complex_files, write_nifti, refused, echo_values):
    files = complex_files()
    for n, path in enumerate(files["imaginary"]):
        write_nifti(path, echo_values(n)[0])
    with refused("imaginary part", "no negative values"):
        load_gre(**files)


@pytest.mark.parametrize("part", [0, 1])
def test_different_shapes_are_refused(series_files, write_nifti, refused, part):
    files = series_files()
    write_nifti(files[part][1], np.ones((6, 7, 9), np.float32))
    with refused(files[part][1], "(6, 7, 9)", "(6, 7, 8)", error=ShapeMismatchError):
        load_gre(*files)


@pytest.mark.parametrize("whole", [False, True])
def test_different_positions_are_refused(series_files, write_nifti, refused, whole, echo_values):
    magnitude, phase = series_files()
    moved = np.diag((1.0, 1.5, 2.0, 1.0))
    moved[2, 3] = 3.0
    for n in range(3) if whole else (1,):
        write_nifti(phase[n], echo_values(n)[1], moved)
    with refused("do not lie on one grid", error=ShapeMismatchError):
        load_gre(magnitude, phase)


def test_two_stacks_are_refused(tmp_path, write_nifti, refused):
    files = [write_nifti(tmp_path / f"m_e{n}.nii", np.ones((*SHAPE, 2), np.float32)) for n in (1, 2)]
    with refused("4-D stack", "alone"):
        load_gre(files, echo_times_s=TIMES_S[:2], b0_tesla=3)


def test_echo_times_are_needed(series_files, refused):
    magnitude, phase = series_files(times=False)
    with refused(magnitude[0], "--echo-times", error=MetadataError):
        load_gre(magnitude, phase)


@pytest.mark.parametrize(
    ("times", "word"),
    [
        ((0.004, 0.009), "2 echo times for 3 echoes"),
        ((0.004, 0.009, 0.009), "increase"),
        ((0.009, 0.004, 0.015), "increase"),
        ((4.0, 9.0, 15.0), "milliseconds"),
        ((0.0, 0.009, 0.015), "positive"),
        ((-0.004, 0.009, 0.015), "positive"),
        ((0.004, math.nan, 0.015), "positive"),
        ((), "echo times"),
    ],
)
def test_impossible_echo_times(series_files, refused, times, word):
    magnitude, phase = series_files()
    with refused(word, error=MetadataError):
        load_gre(magnitude, phase, echo_times_s=times)


@pytest.mark.parametrize(
    ("read", "word"),
    [((4, 9, 15), "milliseconds"), ((0.0, 0.004, 0.009), "positive"), ((0.004, "fast", 0.009), "fast")],
)
def test_impossible_echo_times_in_sidecars(series_files, write_nifti, refused, read, word, echo_values):
    magnitude, phase = series_files()
    for part, paths in enumerate((magnitude, phase)):
        for n, path in enumerate(paths):
            write_nifti(path, echo_values(n)[part], sidecar={**SIDECAR, "EchoTime": read[n], "Units": "rad"})
    with refused(word, error=MetadataError):
        load_gre(magnitude, phase)


def test_field_strength_is_needed(series_files, refused):
    with refused("--b0", error=MetadataError):
        load_gre(*series_files(sidecar={"Manufacturer": "Siemens"}))


@pytest.mark.parametrize("b0", [0.0, -3.0, 3000.0, math.nan, math.inf])
def test_impossible_field_strength(series_files, refused, b0):
    with refused("b0", error=MetadataError):
        load_gre(*series_files(), b0_tesla=b0)


@pytest.mark.parametrize("frequency_hz", [127.74, 63.8e6])
def test_frequency_of_another_unit_or_field(series_files, refused, frequency_hz):
    with refused("imaging_frequency_hz", error=MetadataError):
        load_gre(*series_files(), imaging_frequency_hz=frequency_hz)


def test_field_strength_in_gauss_is_refused(series_files, refused):
    with refused("b0_tesla", "30000", error=MetadataError):
        load_gre(*series_files(sidecar={"MagneticFieldStrength": 30000}))


def test_phase_range_is_needed(shared_data, refused):
    folder = shared_data / "real" / "romeo_small"
    with refused("Phase.nii", "--phase-range", error=MetadataError):
        load_gre([folder / "Mag.nii"], [folder / "Phase.nii"], echo_times_s=(0.004, 0.008, 0.012), b0_tesla=7)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_magnitude_that_is_not_a_number(series_files, write_nifti, refused, bad, echo_values):
    magnitude, phase = series_files()
    values = echo_values(1)[0]
    values[3, 3, 3] = bad
    write_nifti(magnitude[1], values)
    with refused("sub-01_echo-2_part-mag_MEGRE.nii", "1 NaN or infinite"):
        load_gre(magnitude, phase)


def test_imaginary_part_that_is_not_a_number(complex_files, write_nifti, refused):
    files = complex_files()
    write_nifti(files["imaginary"][1], np.full(SHAPE, np.nan, np.float32))
    with refused("imaginary part", "echo-2_imag.nii", "336 NaN"):
        load_gre(**files)


def test_negative_magnitude(series_files, write_nifti, refused, echo_values):
    magnitude, phase = series_files()
    write_nifti(magnitude[1], -echo_values(1)[0])
    with refused("sub-01_echo-2_part-mag_MEGRE.nii", "negative"):
        load_gre(magnitude, phase)


def test_magnitude_and_phase_swapped(series_files, refused):
    magnitude, phase = series_files()
    with refused("negative"):
        load_gre(phase, magnitude)


def test_complex_magnitude(series_files, write_nifti, refused, echo_values):
    magnitude, phase = series_files()
    write_nifti(magnitude[0], echo_values(0)[0] * np.complex64(1j))
    with refused(magnitude[0], "complex", "--real"):
        load_gre(magnitude, phase)


def test_empty_magnitude(series_files, write_nifti, refused):
    magnitude, phase = series_files()
    for path in magnitude:
        write_nifti(path, np.zeros(SHAPE, np.float32))
    with refused(magnitude[0], "zero everywhere"):
        load_gre(magnitude, phase)


@pytest.mark.parametrize("shape", [(6, 7, 1), (1, 7, 8), (6, 2, 8)])
def test_single_slice_has_no_field(tmp_path, write_nifti, refused, shape):
    path = write_nifti(tmp_path / "m.nii", np.ones(shape, np.float32))
    with refused(path, shape):
        load_gre([path], echo_times_s=(0.004,), b0_tesla=3)


def test_phase_missing_inside_the_head(series_files, write_nifti, refused, echo_values):
    magnitude, phase = series_files()
    values = echo_values(1)[1]
    values[3, 3, 3] = np.nan
    write_nifti(phase[1], values)
    with refused("phase", "NaN in 1 voxels"):
        load_gre(magnitude, phase)


def test_phase_missing_where_there_is_no_signal(series_files, write_nifti, echo_values):
    magnitude, phase = series_files()
    for n, path in enumerate(phase):
        values = echo_values(n)[1]
        values[0, 0, 0] = np.nan
        write_nifti(path, values, sidecar={**SIDECAR, "EchoTime": TIMES_S[n], "Units": "rad"})
    series = load_gre(magnitude, phase)
    assert np.isfinite(series.phase_rad).all()
    assert (series.magnitude[:, 0, 0, 0] == 0).all()
    assert any("1 voxels" in text and "left out" in text for text in series.assumptions)


@pytest.mark.parametrize("echoes", [(0,), (2,), (0, 1, 2)])
def test_phase_that_is_nothing_but_nan(series_files, write_nifti, refused, echoes):
    magnitude, phase = series_files()
    for n in echoes:
        side = {**SIDECAR, "EchoTime": TIMES_S[n], "Units": "rad"}
        write_nifti(phase[n], np.full(SHAPE, np.nan, np.float32), sidecar=side)
    with refused(f"sub-01_echo-{echoes[0] + 1}_part-phase_MEGRE.nii", "NaN"):
        load_gre(magnitude, phase)


def test_damaged_sidecar(series_files, refused):
    magnitude, phase = series_files()
    sidecar = magnitude[1].with_suffix(".json")
    sidecar.write_text("{not json")
    with refused(sidecar, error=MetadataError):
        load_gre(magnitude, phase)


def test_loading_a_folder_or_nothing(series_files, tmp_path, refused):
    _, phase = series_files()
    with refused("folder"):
        load_gre([tmp_path], phase)
    with refused("does not exist"):
        load_gre([tmp_path / "none.nii"], phase)
