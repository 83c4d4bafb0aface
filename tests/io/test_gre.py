"""Gradient-echo series from files: order, pairing, metadata, sign."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_msqsm.io.gre import load_gre

SHAPE = (6, 7, 8)
TIMES_S = (0.004, 0.009, 0.015)
SIDECAR = {"MagneticFieldStrength": 3, "ImagingFrequency": 127.74, "Manufacturer": "Siemens"}


def wrapped(radians):
    return np.angle(np.exp(1j * radians))


def test_values_times_and_scanner_are_those_of_the_files(series_files, echo_values):
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
def test_order_of_arguments_does_not_matter(series_files, order, echo_values):
    magnitude, phase = series_files()
    series = load_gre([magnitude[n] for n in order], [phase[n] for n in reversed(order)])
    assert series.echo_times_s == TIMES_S
    assert [float(echo.max()) for echo in series.magnitude] == [100, 200, 300]
    np.testing.assert_allclose(wrapped(series.phase_rad[1] - echo_values(1)[1]), 0, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["echo-{}_part-{}.nii", "{1}_e{0}.nii", "x_Echo-{}_{}.nii", "x_E{}_{}.nii", "echo{}_{}.nii.gz"]
)
def test_tenth_echo_is_not_the_second(series_files, name, echo_values):
    magnitude, phase = series_files(11, times=False, name=name)
    times = [0.003 * (n + 1) for n in range(11)]
    series = load_gre(sorted(magnitude), sorted(phase), echo_times_s=times)
    assert [round(float(echo.max())) for echo in series.magnitude] == [100 * (n + 1) for n in range(11)]
    np.testing.assert_allclose(wrapped(series.phase_rad[9] - echo_values(9)[1]), 0, atol=1e-5)


def test_echo_time_of_the_sidecar_beats_the_name(series_files, write_nifti, echo_values):
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
def test_stack_of_echoes(tmp_path, write_nifti, trailing, echo_values):
    magnitude, phase = (np.stack(parts, axis=-1) for parts in zip(*map(echo_values, range(3)), strict=True))
    shape = (*SHAPE, 3, *trailing)
    one = write_nifti(tmp_path / "m.nii.gz", magnitude.reshape(shape))
    two = write_nifti(tmp_path / "p.nii.gz", phase.reshape(shape))
    series = load_gre([one], [two], echo_times_s=TIMES_S, b0_tesla=3, phase_range=(-math.pi, math.pi))
    assert [float(echo.max()) for echo in series.magnitude] == [100, 200, 300]
    np.testing.assert_allclose(wrapped(series.phase_rad[2] - echo_values(2)[1]), 0, atol=1e-5)


@pytest.mark.parametrize("key", ["EchoTime", "EchoTimes"])
def test_stack_with_a_list_of_echo_times_in_its_sidecar(tmp_path, write_nifti, key, echo_values):
    magnitude, phase = (np.stack(parts, axis=-1) for parts in zip(*map(echo_values, range(3)), strict=True))
    side = {**SIDECAR, key: list(TIMES_S), "Units": "rad"}
    one = write_nifti(tmp_path / "m.nii.gz", magnitude, sidecar=side)
    series = load_gre([one], [write_nifti(tmp_path / "p.nii.gz", phase, sidecar=side)])
    assert series.echo_times_s == TIMES_S


def test_stack_beside_single_files(series_files, tmp_path, write_nifti, echo_values):
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
def test_sign_of_the_vendor_is_taken_out_and_on_record(series_files, manufacturer, sign, echo_values):
    series = load_gre(*series_files(sidecar={**SIDECAR, "Manufacturer": manufacturer}))
    np.testing.assert_allclose(wrapped(series.phase_rad[0] - sign * echo_values(0)[1]), 0, atol=1e-5)
    assert any(f"phase sign: {sign:+d}" in text for text in series.assumptions)


@pytest.mark.parametrize("sign", [1, -1])
def test_declared_sign_wins_and_is_no_assumption(series_files, sign, echo_values):
    series = load_gre(*series_files(sidecar={**SIDECAR, "Manufacturer": "GE"}), phase_sign=sign)
    np.testing.assert_allclose(wrapped(series.phase_rad[0] - sign * echo_values(0)[1]), 0, atol=1e-5)
    assert not any("phase sign" in text for text in series.assumptions)


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_real_and_imaginary_parts(complex_files, axis, echo_values):
    series = load_gre(**complex_files(axis))
    offset = series.phase_rad + np.stack([echo_values(n)[1] for n in range(3)])
    common = np.angle(np.exp(1j * offset)[series.magnitude > 0].mean())
    np.testing.assert_allclose(wrapped(offset - common)[series.magnitude > 0], 0, atol=1e-4)
    np.testing.assert_allclose(series.magnitude[2], echo_values(2)[0], rtol=1e-5)
    assert any("alternate slices" in text for text in series.assumptions) == (axis is not None)


def test_alternate_slices_are_corrected_in_phase_images_too(tmp_path, write_nifti, echo_values):
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
