"""Stored phase values → radians by the header alone."""

from __future__ import annotations

import math

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.io.dicom.phase_scaling import StoredValues, set_radians

PHASE = np.linspace(-math.pi, math.pi, 16 * 9 * 4, endpoint=False).reshape(16, 9, 4)


def file_of(path, stored, slope=1.0, intercept=0.0, dtype=np.int16):
    image = nib.Nifti1Image(stored.astype(dtype), np.eye(4))
    image.header.set_slope_inter(slope, intercept)
    nib.save(image, path)
    return path


@pytest.mark.parametrize(
    ("manufacturer", "values", "step"),
    [
        ("SIEMENS", StoredValues(bits=12), 2 * math.pi / 4096),
        ("SIEMENS", StoredValues(2, -4096, "US", bits=12), 2 * math.pi / 4096),
        ("Siemens Healthineers", StoredValues(2, -4096, "US", bits=12), 2 * math.pi / 4096),
        ("Philips Medical Systems", StoredValues(1.534355, -3141.593, "milliradials", bits=12), 1.534355e-3),
        ("Philips", StoredValues(1.534355, -3141.593, "normalized", bits=12), 1.534355e-3),
        ("Philips", StoredValues(1.0, 0.0, "", bits=12, radians=(1.534355e-3, -math.pi)), 1.534355e-3),
        ("GE MEDICAL SYSTEMS", StoredValues(bits=16, signed=True), 1e-3),
        ("UIH", StoredValues(bits=16, signed=True), 2 * math.pi / 4096),
        ("UIH", StoredValues(1, -2048, "", bits=12), 2 * math.pi / 4096),
        ("CANON_MEC", StoredValues(math.pi / 2.048, 0.0, "mrad", bits=16, signed=True), 2 * math.pi / 4096),
        ("Nobody", StoredValues(math.pi / 2048, -math.pi, "rad", bits=12), 2 * math.pi / 4096),
    ],
)
def test_radians_within_half_a_step(tmp_path, manufacturer, values, step):
    """Values are what this vendor's scanner stores; the file keeps them."""
    middle = 0 if values.signed else (2047.5 if manufacturer.startswith("Philips") else 2048)
    stored = np.round(PHASE / step + middle)
    stored = stored if values.signed else np.clip(stored, 0, 4095)
    path = file_of(tmp_path / "p.nii", stored, 3.0, 5.0)
    done, assumption = set_radians([path], [values], manufacturer)
    assert done
    image = nib.load(path)
    np.testing.assert_array_equal(image.dataobj.get_unscaled(), stored)
    error = np.angle(np.exp(1j * (np.asarray(image.dataobj, float) - PHASE)))
    assert np.max(np.abs(error)) <= 0.5 * step + 2e-6
    told = values.radians is not None or values.kind in ("milliradials", "mrad", "rad")
    assert bool(assumption) == (not told)


def test_a_range_that_is_not_filled_is_known_from_the_bits(tmp_path):
    """Phase of a short echo reaches over a part of the range; 12 bits say what the whole is."""
    narrow = np.round(0.2 * PHASE / (2 * math.pi / 4096) + 2048)
    path = file_of(tmp_path / "p.nii", narrow)
    assert set_radians([path], [StoredValues(bits=12)], "SIEMENS")[0]
    np.testing.assert_allclose(np.asarray(nib.load(path).dataobj), 0.2 * PHASE, atol=math.pi / 4096 + 1e-6)


def test_one_scale_for_all_echoes(tmp_path):
    paths = [file_of(tmp_path / "1.nii", 0.1 * PHASE * 1e3), file_of(tmp_path / "2.nii", PHASE * 1e3)]
    own = StoredValues(bits=16, signed=True)
    assert set_radians(paths, [own, own], "GE MEDICAL SYSTEMS")[0]
    for path, factor in zip(paths, (0.1, 1.0), strict=True):
        np.testing.assert_allclose(np.asarray(nib.load(path).dataobj), factor * PHASE, atol=1.1e-3)


@pytest.mark.parametrize(
    ("manufacturer", "stored", "values"),
    [
        ("CANON_MEC", PHASE * 600, StoredValues(bits=16, signed=True)),
        ("", PHASE * 600 + 2048, StoredValues(bits=12)),
        ("GE MEDICAL SYSTEMS", PHASE * 100, StoredValues(bits=16, signed=True)),
        ("SIEMENS", PHASE * 5000, StoredValues(bits=16, signed=True)),
    ],
)
def test_what_nothing_says_is_not_guessed(tmp_path, manufacturer, stored, values):
    path = file_of(tmp_path / "p.nii", stored, 3.0, 5.0)
    before = path.read_bytes()
    done, why = set_radians([path], [values], manufacturer)
    assert not done
    assert "--phase-range" in why
    assert path.read_bytes() == before


def test_constant_phase_is_said(tmp_path):
    path = file_of(tmp_path / "p.nii", np.zeros((4, 4, 4)))
    assert set_radians([path], [StoredValues(bits=12)], "SIEMENS") == (False, "the phase is the same everywhere")


def test_values_that_the_converter_had_to_scale(tmp_path):
    """Slices of different rescale end as floating-point numbers, which keep their unit."""
    path = file_of(tmp_path / "p.nii", PHASE * 500, 2.0, dtype=np.float32)
    own = StoredValues(1.5, -3141.0, "mrad", bits=12)
    assert set_radians([path], [own], "CANON_MEC")[0]
    np.testing.assert_allclose(np.asarray(nib.load(path).dataobj), PHASE, atol=1e-6)
    done, why = set_radians([path], [own], "Philips")
    assert not done
    assert "slices differently" in why
