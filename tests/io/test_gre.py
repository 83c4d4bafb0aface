"""Gradient-echo series from files: order, pairing, metadata, and every refusal."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_msqsm.errors import MetadataError, ShapeMismatchError
from napari_msqsm.io.gre import load_gre

SHAPE = (6, 7, 8)
TIMES_S = (0.004, 0.009, 0.015)
SIDECAR = {"MagneticFieldStrength": 3, "ImagingFrequency": 127.74, "Manufacturer": "Siemens"}


def echo_values(n):
    """Magnitude 100·(n + 1) everywhere but for one dark corner; phase of a field of 20 Hz + gradient, in radians."""
    magnitude = np.full(SHAPE, 100.0 * (n + 1), np.float32)
    magnitude[0, 0, 0] = 0
    field_hz = 20.0 + 5.0 * np.arange(SHAPE[0])[:, None, None] * np.ones(SHAPE)
    time = TIMES_S[n] if n < len(TIMES_S) else 0.015 + 0.003 * n
    return magnitude, np.angle(np.exp(2j * np.pi * field_hz * time)).astype(np.float32)


@pytest.fixture
def series_files(tmp_path, write_nifti):
    """Write magnitude and phase, one file per echo, with sidecars; return both lists."""

    def write(n_echoes=3, sidecar=None, times=True, name="sub-01_echo-{}_part-{}_MEGRE.nii", affine=None, suffix=""):
        lists = [], []
        where = {} if affine is None else {"affine": affine}
        for n in range(n_echoes):
            for files, part, values in zip(lists, ("mag", "phase"), echo_values(n), strict=True):
                side = dict(SIDECAR if sidecar is None else sidecar)
                if times:
                    side["EchoTime"] = TIMES_S[n] if n < 3 else 0.015 + 0.003 * n
                if part == "phase":
                    side["Units"] = "rad"
                path = tmp_path / (name.format(n + 1, part) + suffix)
                files.append(write_nifti(path, values, sidecar=side if side else None, **where))
        return lists

    return write


def wrapped(radians):
    return np.angle(np.exp(1j * radians))


def test_values_times_and_scanner_are_those_of_the_files(series_files):
    series = load_gre(*series_files())
    assert series.echo_times_s == TIMES_S
    assert series.b0_tesla == 3
    assert series.imaging_frequency_hz == pytest.approx(127.74e6)
    assert series.grid.voxel_size_mm == (1.0, 1.5, 2.0)
    assert series.magnitude.shape == (3, *SHAPE)
    for n in range(3):
        magnitude, phase = echo_values(n)
        np.testing.assert_array_equal(series.magnitude[n], magnitude)
        np.testing.assert_allclose(wrapped(series.phase_rad[n] - phase), 0, atol=1e-5)
    assert series.magnitude.dtype == series.phase_rad.dtype == np.float32
    assert any("phase sign: +1, as Siemens" in text for text in series.assumptions)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_order_of_arguments_does_not_matter(series_files, order):
    magnitude, phase = series_files()
    series = load_gre([magnitude[n] for n in order], [phase[n] for n in reversed(order)])
    assert series.echo_times_s == TIMES_S
    assert [float(echo.max()) for echo in series.magnitude] == [100, 200, 300]
    np.testing.assert_allclose(wrapped(series.phase_rad[1] - echo_values(1)[1]), 0, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["echo-{}_part-{}.nii", "{1}_e{0}.nii", "x_Echo-{}_{}.nii", "x_E{}_{}.nii", "echo{}_{}.nii.gz"]
)
def test_tenth_echo_is_not_the_second(series_files, name):
    magnitude, phase = series_files(11, times=False, name=name)
    times = [0.003 * (n + 1) for n in range(11)]
    series = load_gre(sorted(magnitude), sorted(phase), echo_times_s=times)
    assert [round(float(echo.max())) for echo in series.magnitude] == [100 * (n + 1) for n in range(11)]
    np.testing.assert_allclose(wrapped(series.phase_rad[9] - echo_values(9)[1]), 0, atol=1e-5)


def test_echo_time_of_the_sidecar_beats_the_name(series_files, write_nifti):
    magnitude, phase = series_files()
    for paths, part in ((magnitude, 0), (phase, 1)):
        for n, path in enumerate(paths):
            side = {**SIDECAR, "EchoTime": TIMES_S[2 - n], "Units": "rad"}
            write_nifti(path, echo_values(2 - n)[part], sidecar=side)
    series = load_gre(magnitude, phase)
    assert series.echo_times_s == TIMES_S
    assert [float(echo.max()) for echo in series.magnitude] == [100, 200, 300]


def test_files_without_number_are_taken_as_given_and_that_is_said(series_files, tmp_path):
    magnitude, phase = series_files(times=False)
    for paths in (magnitude, phase):
        for n, path in enumerate(paths):
            paths[n] = path.rename(path.with_name(f"{'cab'[n]}{path.name.split('_')[2]}.nii"))
    series = load_gre(magnitude, phase, echo_times_s=TIMES_S, b0_tesla=3, phase_range=(-math.pi, math.pi))
    assert [float(echo.max()) for echo in series.magnitude] == [100, 200, 300]
    assert any("in the order given" in text for text in series.assumptions)


@pytest.mark.parametrize("trailing", [(), (1,), (1, 1)])
def test_stack_of_echoes(tmp_path, write_nifti, trailing):
    magnitude, phase = (np.stack(parts, axis=-1) for parts in zip(*map(echo_values, range(3)), strict=True))
    shape = (*SHAPE, 3, *trailing)
    one = write_nifti(tmp_path / "m.nii.gz", magnitude.reshape(shape))
    two = write_nifti(tmp_path / "p.nii.gz", phase.reshape(shape))
    series = load_gre([one], [two], echo_times_s=TIMES_S, b0_tesla=3, phase_range=(-math.pi, math.pi))
    assert [float(echo.max()) for echo in series.magnitude] == [100, 200, 300]
    np.testing.assert_allclose(wrapped(series.phase_rad[2] - echo_values(2)[1]), 0, atol=1e-5)


@pytest.mark.parametrize("key", ["EchoTime", "EchoTimes"])
def test_stack_with_a_list_of_echo_times_in_its_sidecar(tmp_path, write_nifti, key):
    magnitude, phase = (np.stack(parts, axis=-1) for parts in zip(*map(echo_values, range(3)), strict=True))
    side = {**SIDECAR, key: list(TIMES_S), "Units": "rad"}
    one = write_nifti(tmp_path / "m.nii.gz", magnitude, sidecar=side)
    series = load_gre([one], [write_nifti(tmp_path / "p.nii.gz", phase, sidecar=side)])
    assert series.echo_times_s == TIMES_S


def test_stack_beside_single_files(series_files, tmp_path, write_nifti):
    magnitude, _ = series_files()
    stack = np.stack([echo_values(n)[1] for n in range(3)], axis=-1)
    series = load_gre(magnitude, [write_nifti(tmp_path / "p.nii", stack, sidecar={"Units": "rad"})])
    np.testing.assert_allclose(wrapped(series.phase_rad[2] - echo_values(2)[1]), 0, atol=1e-5)


def test_one_echo_is_a_series(series_files):
    assert load_gre(*series_files(1)).n_echoes == 1


def test_magnitude_alone_is_a_series_without_phase(series_files):
    assert load_gre(series_files()[0]).phase_rad is None


def test_declared_values_win(series_files):
    series = load_gre(*series_files(), echo_times_s=(0.005, 0.010, 0.015), b0_tesla=7, b0_direction=(0, 3, 4))
    assert series.echo_times_s == (0.005, 0.010, 0.015)
    assert series.b0_tesla == 7
    assert series.imaging_frequency_hz == pytest.approx(298.04e6, rel=1e-3)
    assert series.b0_direction == pytest.approx((0, 0.6, 0.8))
    assert any("echo times given replace" in text for text in series.assumptions)


def test_field_strength_from_the_scanner_frequency(series_files):
    series = load_gre(*series_files(sidecar={"ImagingFrequency": 127.74}))
    assert series.b0_tesla == pytest.approx(3.0, abs=0.01)
    assert any("field strength follows" in text for text in series.assumptions)


def test_frequency_that_is_not_known_is_an_assumption(series_files):
    series = load_gre(*series_files(sidecar={"MagneticFieldStrength": 1.5}))
    assert series.imaging_frequency_hz == pytest.approx(63.87e6, rel=1e-3)
    assert any("scanner frequency is not known" in text for text in series.assumptions)


def test_oblique_scan_has_an_oblique_field(series_files):
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("x", 30, degrees=True).as_matrix()
    series = load_gre(*series_files(affine=affine))
    np.testing.assert_allclose(series.b0_direction, affine[2, :3], atol=1e-6)


@pytest.mark.parametrize(
    ("manufacturer", "sign"), [("Siemens", 1), ("Philips", 1), ("GE MEDICAL SYSTEMS", -1), ("UIH", -1), ("Canon", 1)]
)
def test_sign_of_the_vendor_is_taken_out_and_on_record(series_files, manufacturer, sign):
    series = load_gre(*series_files(sidecar={**SIDECAR, "Manufacturer": manufacturer}))
    np.testing.assert_allclose(wrapped(series.phase_rad[0] - sign * echo_values(0)[1]), 0, atol=1e-5)
    assert any(f"phase sign: {sign:+d}" in text for text in series.assumptions)


@pytest.mark.parametrize("sign", [1, -1])
def test_declared_sign_wins_and_is_no_assumption(series_files, sign):
    series = load_gre(*series_files(sidecar={**SIDECAR, "Manufacturer": "GE"}), phase_sign=sign)
    np.testing.assert_allclose(wrapped(series.phase_rad[0] - sign * echo_values(0)[1]), 0, atol=1e-5)
    assert not any("phase sign" in text for text in series.assumptions)


@pytest.fixture
def complex_files(tmp_path, write_nifti):
    """Write real and imaginary parts; ``axis`` has alternate slices of opposite sign."""

    def write(axis=None, manufacturer="GE MEDICAL SYSTEMS"):
        lists = [], []
        for n in range(3):
            magnitude, phase = echo_values(n)
            signal = magnitude * np.exp(1j * phase)
            if axis is not None:
                shape = [-1 if a == axis else 1 for a in range(3)]
                signal = signal * np.where(np.arange(SHAPE[axis]) % 2, -1, 1).reshape(shape)
            for files, part, values in zip(lists, ("real", "imag"), (signal.real, signal.imag), strict=True):
                side = {"MagneticFieldStrength": 3, "Manufacturer": manufacturer, "EchoTime": TIMES_S[n]}
                files.append(write_nifti(tmp_path / f"echo-{n + 1}_{part}.nii", values.astype("f4"), sidecar=side))
        return {"real": lists[0], "imaginary": lists[1]}

    return write


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_real_and_imaginary_parts(complex_files, axis):
    series = load_gre(**complex_files(axis))
    offset = series.phase_rad + np.stack([echo_values(n)[1] for n in range(3)])
    common = np.angle(np.exp(1j * offset)[series.magnitude > 0].mean())
    np.testing.assert_allclose(wrapped(offset - common)[series.magnitude > 0], 0, atol=1e-4)
    np.testing.assert_allclose(series.magnitude[2], echo_values(2)[0], rtol=1e-5)
    assert any("alternate slices" in text for text in series.assumptions) == (axis is not None)


def test_alternate_slices_are_corrected_in_phase_images_too(tmp_path, write_nifti):
    magnitude, phase = echo_values(0)
    flipped = wrapped(phase + np.pi * (np.arange(SHAPE[2]) % 2)).astype(np.float32)
    side = {**SIDECAR, "EchoTime": 0.004, "Units": "rad"}
    series = load_gre(
        [write_nifti(tmp_path / "m.nii", magnitude, sidecar=side)],
        [write_nifti(tmp_path / "p.nii", flipped, sidecar=side)],
    )
    inside = series.magnitude[0] > 0
    offset = np.exp(1j * (series.phase_rad[0] - phase))[inside]
    np.testing.assert_allclose(np.abs(offset.mean()), 1, atol=1e-5)
    assert any("alternate slices" in text for text in series.assumptions)


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


def test_two_files_of_one_echo_time_are_refused(series_files, write_nifti, refused):
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


def test_magnitude_given_as_real_part_is_refused(complex_files, write_nifti, refused):
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
def test_different_positions_are_refused(series_files, write_nifti, refused, whole):
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
def test_impossible_echo_times_in_sidecars(series_files, write_nifti, refused, read, word):
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


def test_real_scan_with_its_phase_range(shared_data):
    folder = shared_data / "real" / "romeo_small"
    series = load_gre(
        [folder / "Mag.nii"],
        [folder / "Phase.nii"],
        echo_times_s=(0.004, 0.008, 0.012),
        b0_tesla=7,
        phase_range=(-0.0036744, 0.0036744),
    )
    assert series.magnitude.shape == (3, 51, 51, 41)
    assert float(np.abs(series.phase_rad).max()) == pytest.approx(math.pi, rel=1e-3)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_magnitude_that_is_not_a_number(series_files, write_nifti, refused, bad):
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


def test_negative_magnitude(series_files, write_nifti, refused):
    magnitude, phase = series_files()
    write_nifti(magnitude[1], -echo_values(1)[0])
    with refused("sub-01_echo-2_part-mag_MEGRE.nii", "negative"):
        load_gre(magnitude, phase)


def test_magnitude_and_phase_swapped(series_files, refused):
    magnitude, phase = series_files()
    with refused("negative"):
        load_gre(phase, magnitude)


def test_complex_magnitude(series_files, write_nifti, refused):
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


def test_phase_missing_inside_the_head(series_files, write_nifti, refused):
    magnitude, phase = series_files()
    values = echo_values(1)[1]
    values[3, 3, 3] = np.nan
    write_nifti(phase[1], values)
    with refused("phase", "NaN in 1 voxels"):
        load_gre(magnitude, phase)


def test_phase_missing_where_there_is_no_signal(series_files, write_nifti):
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
