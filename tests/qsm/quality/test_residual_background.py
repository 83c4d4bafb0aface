from __future__ import annotations

import math

import numpy as np
import pytest

from napari_msqsm.qsm.host.distance import depth_mm
from napari_msqsm.qsm.quality.residual_background import edge_energy_ratio, harmonic_fraction

SHAPE, VOXEL_MM = (33, 31, 21), (2.0, 2.0, 3.0)
AXES = np.meshgrid(*((np.arange(n) - n // 2) * s for n, s in zip(SHAPE, VOXEL_MM, strict=True)), indexing="ij")
X, Y, Z = AXES
MASK = X**2 + Y**2 + Z**2 < 27**2
TISSUE = np.random.default_rng(0).normal(0, 1, SHAPE)
DEPTH_MM = depth_mm(MASK, VOXEL_MM)


def background(sphere_field_ppm):
    return 3 * sum(
        sphere_field_ppm(AXES, centre, 8.0, 30.0, (0, 0, 1)) for centre in ((5.0, 38.0, -8.0), (-36.0, 0.0, 6.0))
    )


def test_background_raises_both(sphere_field_ppm):
    clean = edge_energy_ratio(TISSUE, mask=MASK, depth_mm=DEPTH_MM)
    assert clean == pytest.approx(1, abs=0.1)
    assert harmonic_fraction(TISSUE, mask=MASK, voxel_size_mm=VOXEL_MM) < 0.02
    last = clean
    for part in (0.3, 1.0, 3.0):
        field = TISSUE + part * background(sphere_field_ppm)
        ratio = edge_energy_ratio(field, mask=MASK, depth_mm=DEPTH_MM)
        assert ratio > 1.1 * last
        last = ratio
    assert harmonic_fraction(field, mask=MASK, voxel_size_mm=VOXEL_MM) > 0.5


@pytest.mark.parametrize(
    "harmonic",
    [
        np.ones(SHAPE),
        X - 2 * Y + Z,
        X * Y + 3 * (X**2 - Y**2) - (2 * Z**2 - X**2 - Y**2),
        X**3 - 3 * X * Y**2 + X * Y * Z + Z * (2 * Z**2 - 3 * X**2 - 3 * Y**2) + X * (4 * Z**2 - X**2 - Y**2),
    ],
)
def test_harmonics_to_the_third_degree_are_known_whole(harmonic):
    assert harmonic_fraction(harmonic, mask=MASK, voxel_size_mm=VOXEL_MM) == pytest.approx(1, abs=1e-9)


def test_what_is_not_harmonic_is_not_all_explained():
    field = X**2 + Y**2 + Z**2
    field = field - field[MASK].mean()
    assert harmonic_fraction(field, mask=MASK, voxel_size_mm=VOXEL_MM) < 0.05


def test_axes_may_be_exchanged(sphere_field_ppm):
    field = TISSUE + background(sphere_field_ppm)
    turned = harmonic_fraction(np.moveaxis(field, 0, 2), mask=np.moveaxis(MASK, 0, 2), voxel_size_mm=(2.0, 3.0, 2.0))
    assert turned == pytest.approx(harmonic_fraction(field, mask=MASK, voxel_size_mm=VOXEL_MM), rel=1e-6)


def test_too_little_is_not_a_number():
    thin = np.zeros(SHAPE, bool)
    thin[3:6, 3, 3] = True
    assert math.isnan(edge_energy_ratio(TISSUE, mask=thin, depth_mm=depth_mm(thin, VOXEL_MM)))
    assert math.isnan(harmonic_fraction(TISSUE, mask=thin, voxel_size_mm=VOXEL_MM))
    assert math.isnan(harmonic_fraction(0 * TISSUE, mask=MASK, voxel_size_mm=VOXEL_MM))
