"""The field of a sphere, and laws of the convolution."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.phantom.forward import field_of

CHI_PPM = 1.0
RADIUS_MM = 12.0


def _axes(shape, voxel):
    return [(np.arange(n) - (n - 1) / 2) * step for n, step in zip(shape, voxel, strict=True)]


def _sphere(shape, voxel, parts=4):
    """Share of every voxel inside the sphere."""
    fine = _axes([n * parts for n in shape], [step / parts for step in voxel])
    x, y, z = np.meshgrid(*fine, indexing="ij", sparse=True)
    inside = (x**2 + y**2 + z**2 < RADIUS_MM**2).astype(np.float32)
    a, b, c = shape
    return inside.reshape(a, parts, b, parts, c, parts).mean(axis=(1, 3, 5))


def _analytic(shape, voxel, b0):
    x, y, z = np.meshgrid(*_axes(shape, voxel), indexing="ij", sparse=True)
    squared = np.maximum(x**2 + y**2 + z**2, 1e-6)
    cosine2 = (x * b0[0] + y * b0[1] + z * b0[2]) ** 2 / squared
    outside = CHI_PPM / 3.0 * (RADIUS_MM**2 / squared) ** 1.5 * (3.0 * cosine2 - 1.0)
    return np.where(squared < RADIUS_MM**2, 0.0, outside), np.sqrt(squared)


@pytest.mark.parametrize("shape", [(48, 48, 32), (47, 49, 31)])
@pytest.mark.parametrize(
    ("b0", "largest_error", "rms_error"),
    [((0.0, 0.0, 1.0), 0.005, 2e-4), ((0.0, 0.5, 0.8660254), 0.04, 1.5e-3), ((0.48, 0.6, 0.64), 0.04, 1.5e-3)],
    ids=["axial", "tilted", "double-oblique"],
)
def test_sphere_has_its_analytic_field(shape, b0, largest_error, rms_error):
    """Oblique fields ring a little more: their kernel does not end smoothly at the highest frequencies."""
    voxel = (1.5, 1.5, 2.0)
    field = field_of(CHI_PPM * _sphere(shape, voxel), voxel_size_mm=voxel, b0_direction=b0, pad_mm=120.0)
    truth, radius = _analytic(shape, voxel, b0)
    away, inside = radius > RADIUS_MM + 4.0, radius < RADIUS_MM - 4.0
    assert np.abs(field - truth)[away].max() < largest_error
    assert (field - truth)[away].std() < rms_error
    assert np.abs(field[inside]).max() < largest_error
    near = away & (radius < 28.0)
    assert np.polyfit(truth[near], field[near], 1)[0] == pytest.approx(1.0, abs=0.003)


def test_paramagnetic_sphere_raises_the_field_along_b0():
    field = field_of(
        _sphere((40, 40, 40), (1.5, 1.5, 1.5)), voxel_size_mm=(1.5, 1.5, 1.5), b0_direction=(0.0, 0.0, 1.0)
    )
    assert field[20, 20, 30] > 0.1
    assert field[30, 20, 20] < -0.05


def test_field_is_linear_and_only_differences_to_the_surroundings_count():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 20, 18, 15)).astype(np.float32)
    magnet = {"voxel_size_mm": (2.0, 1.0, 3.0), "b0_direction": (0.0, 0.6, 0.8)}
    together = field_of(2.0 * one - 3.0 * other, **magnet)
    np.testing.assert_allclose(together, 2.0 * field_of(one, **magnet) - 3.0 * field_of(other, **magnet), atol=2e-5)
    np.testing.assert_allclose(field_of(one + 9.4, surrounding_ppm=9.4, **magnet), field_of(one, **magnet), atol=2e-5)
    assert together.dtype == np.float32
