"""Stored phase → radians, vendor signs, alternate slices."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_msqsm.errors import MetadataError
from napari_msqsm.io.nifti import RawImage, load_raw
from napari_msqsm.io.phase import alternate_slices_flipped, phase_scale, vendor_of
from napari_msqsm.model.grid import Grid

GRID = Grid((10, 10, 10), np.eye(4))


def image(low, high, *, integer=True, slope=1.0, intercept=0.0):
    """Values spread over ``low`` … ``high`` (after the header's scaling)."""
    values = np.linspace(low, high, 1000, dtype=np.float32).reshape(GRID.shape)
    return RawImage(values, integer, slope, intercept, GRID)


def scale_of(*images, phase_range=None, units="", manufacturer=""):
    return phase_scale(
        images, names=["p1.nii.gz"] * len(images), phase_range=phase_range, units=units, manufacturer=manufacturer
    )


def test_declared_range_sets_the_scale_and_is_no_assumption():
    scale = scale_of(image(-3000, 2900), phase_range=(-4096, 4096))
    np.testing.assert_allclose(
        scale.to_radians(np.array([-4096, 0, 2048, 4096], np.int16)), [-math.pi, 0, math.pi / 2, math.pi], atol=1e-6
    )
    assert scale.assumption == ""


def test_declared_range_wins_over_everything():
    scale = scale_of(image(-3, 3, integer=False), phase_range=(-4, 4), units="rad", manufacturer="Siemens")
    assert (scale.low, scale.high) == (-4, 4)


@pytest.mark.parametrize("limits", [(1, 1), (4096, -4096), (math.nan, 1), (0, math.inf)])
def test_declared_range_must_increase(refused, limits):
    with refused("--phase-range", "increasing", error=MetadataError):
        scale_of(image(-3, 3), phase_range=limits)


def test_values_outside_the_declared_range_are_refused(refused):
    with refused("p1.nii.gz", "-4096", "4094", "--phase-range", error=MetadataError):
        scale_of(image(-4096, 4094), phase_range=(-2048, 2048))


@pytest.mark.parametrize("units", ["rad", "Rad", "radians", "radian"])
def test_units_of_the_sidecar(units):
    values = image(-0.2, 0.2, integer=False)
    np.testing.assert_allclose(scale_of(values, units=units).to_radians(values.array), values.array, atol=1e-6)


def test_units_of_the_sidecar_that_are_not_true(refused):
    with refused("p1.nii.gz", "-4096", error=MetadataError):
        scale_of(image(-4096, 4094), units="rad")


@pytest.mark.parametrize("turn", [0.0, 2 * math.pi])
def test_radians_from_zero_keep_their_value_up_to_a_turn(turn):
    values = image(turn / 2 - math.pi, turn / 2 + math.pi, integer=False)
    radians = scale_of(values, units="rad").to_radians(values.array)
    np.testing.assert_allclose(np.exp(1j * radians), np.exp(1j * values.array), atol=1e-5)


@pytest.mark.parametrize("manufacturer", ["", "Siemens", "GE MEDICAL SYSTEMS"])
def test_floating_point_radians_are_recognised(manufacturer):
    values = image(-3.1, 3.14, integer=False)
    scale = scale_of(values, manufacturer=manufacturer)
    np.testing.assert_allclose(scale.to_radians(values.array), values.array, atol=1e-6)


@pytest.mark.parametrize("offset", [0.0, math.pi])
def test_integers_whose_header_scales_to_radians(offset):
    values = image(-math.pi + offset, math.pi + offset, slope=math.pi / 4096, intercept=offset)
    radians = scale_of(values).to_radians(values.array)
    np.testing.assert_allclose(np.exp(1j * radians), np.exp(1j * values.array), atol=1e-5)


def test_integers_are_not_radians_only_because_they_are_small(refused):
    with refused("--phase-range", error=MetadataError):
        scale_of(image(-3, 3))


def test_range_is_never_the_extremes_of_the_data(shared_data, refused):
    raw = load_raw(shared_data / "real" / "romeo_small" / "Phase.nii")
    with refused("--phase-range", error=MetadataError):
        scale_of(raw)


@pytest.mark.parametrize("span", [1e-3, 0.5, 2.0])
def test_narrow_floating_point_values_are_not_taken_for_radians(refused, span):
    with refused("--phase-range", error=MetadataError):
        scale_of(image(-span / 2, span / 2, integer=False))


@pytest.mark.parametrize(
    ("manufacturer", "low", "high", "wanted"),
    [
        ("Siemens", 0, 4095, (0, 4096)),
        ("SIEMENS", -4096, 4094, (-4096, 4096)),
        ("Siemens Healthineers", -4096, 4092, (-4096, 4096)),
        ("Siemens", 5, 4090, (0, 4096)),
        ("Philips Medical Systems", -3141, 3141, (-1000 * math.pi, 1000 * math.pi)),
        ("Philips", 0, 4095, (0, 4096)),
        ("GE MEDICAL SYSTEMS", -3142, 3141, (-1000 * math.pi, 1000 * math.pi)),
        ("UIH", -2048, 2047, (-2048, 2048)),
        ("United Imaging Healthcare", -2048, 2047, (-2048, 2048)),
    ],
)
def test_standard_range_of_the_vendor_is_an_assumption(manufacturer, low, high, wanted):
    scale = scale_of(image(low, high), manufacturer=manufacturer)
    assert (scale.low, scale.high) == pytest.approx(wanted)
    assert manufacturer in scale.assumption
    assert f"{wanted[0]:g}" in scale.assumption


@pytest.mark.parametrize(
    ("manufacturer", "low", "high"),
    [("", 0, 4095), ("Canon", -4096, 4094), ("Siemens", 0, 70000), ("Siemens", -100, 90), ("GE", -32768, 32767)],
)
def test_unknown_range_is_refused(refused, manufacturer, low, high):
    with refused("p1.nii.gz", f"{high:g}", "--phase-range", error=MetadataError):
        scale_of(image(low, high), manufacturer=manufacturer)


def test_one_scale_for_all_echoes():
    scale = scale_of(image(100, 4000), image(-4096, 4094), manufacturer="Siemens")
    assert (scale.low, scale.high) == (-4096, 4096)


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf])
def test_missing_values_do_not_disturb_the_scale(missing):
    values = image(-3.1, 3.1, integer=False)
    values.array[0, 0, 0] = missing
    assert scale_of(values).low == -math.pi


def test_constant_phase_is_refused(refused):
    with refused("p1.nii.gz", error=MetadataError):
        scale_of(image(0, 0), manufacturer="Siemens")


@pytest.mark.parametrize(
    ("name", "vendor"),
    [
        ("SIEMENS", "siemens"),
        (" Philips Healthcare", "philips"),
        ("GE MEDICAL SYSTEMS", "ge"),
        ("General Electric", "ge"),
        ("UIH", "uih"),
        ("United Imaging", "uih"),
        ("Shanghai United Imaging Healthcare", "uih"),
        ("Gesundheit", ""),
        ("Canon", ""),
        ("", ""),
    ],
)
def test_vendor_of_a_manufacturer(name, vendor):
    assert vendor_of(name) == vendor


@pytest.fixture
def head():
    """Complex signal of a smooth head in noise, three echoes, with a field that wraps the phase."""
    rng = np.random.default_rng(0)
    shape = (20, 22, 16)
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    magnitude = 100.0 * (x**2 + y**2 + z**2 < 0.9)
    field = 60 * x + 80 * y * z + 90 * z**2
    signal = np.stack([magnitude * np.exp(2j * np.pi * field * time) for time in (0.005, 0.010, 0.015)])
    return (signal + rng.normal(size=signal.shape) + 1j * rng.normal(size=signal.shape)).astype(np.complex64)


def test_ordinary_signal_is_left_alone(head):
    corrected, axes = alternate_slices_flipped(head)
    assert axes == ()
    assert corrected is head


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_alternate_slices_of_opposite_sign_are_corrected(head, axis):
    signs = np.ones(4, int)
    signs[axis + 1] = -1
    signs = np.where(np.arange(head.shape[axis + 1]) % 2, -1, 1).reshape(signs)
    corrected, axes = alternate_slices_flipped(head * signs.astype(np.float32))
    assert axes == (axis,)
    np.testing.assert_allclose(corrected * np.sign((corrected * head.conj()).real.sum()), head, rtol=1e-6)
    assert corrected.dtype == np.complex64


def test_field_that_turns_by_half_a_circle_per_slice_is_not_taken_for_it(head):
    """A steep field has all echoes turning differently; alternate signs are the same at every echo."""
    steep = head * np.exp(2j * np.pi * 0.12 * np.arange(1, 4))[:, None, None, None] ** np.arange(head.shape[3])
    _, axes = alternate_slices_flipped(steep.astype(np.complex64))
    assert axes == ()


def test_noise_alone_is_left_alone():
    rng = np.random.default_rng(1)
    noise = (rng.normal(size=(2, 8, 8, 9)) + 1j * rng.normal(size=(2, 8, 8, 9))).astype(np.complex64)
    assert alternate_slices_flipped(noise)[1] == ()


def test_two_slices_are_too_few_to_tell(head):
    assert alternate_slices_flipped(head[..., 7:9] * np.array([1, -1], np.float32))[1] == ()


def test_nothing_is_left_alone():
    zero = np.zeros((1, 4, 4, 4), np.complex64)
    assert alternate_slices_flipped(zero)[1] == ()
