from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.swi import SwiSettings, swi

SHAPE = (33, 33, 9)
HZ_PER_PPM = 127.7
MASK = np.ones(SHAPE, bool)
X, Y, _ = np.meshgrid(*(np.arange(n) - n // 2 for n in SHAPE), indexing="ij")
RADIUS2 = X**2 + Y**2
VEIN = RADIUS2 < 3**2


def vein_field_hz(chi_ppm, *, along_b0=True):
    """Field of an infinite cylinder: along B0 χ/3 inside; across it −χ/6 inside, a quadrupole outside."""
    if along_b0:
        return HZ_PER_PPM * np.where(VEIN, chi_ppm / 3, 0.0)
    outside = chi_ppm / 2 * 9 / np.maximum(RADIUS2, 9) * (X**2 - Y**2) / np.maximum(RADIUS2, 1)
    return HZ_PER_PPM * np.where(VEIN, -chi_ppm / 6, outside)


def of(field_hz, **settings):
    return swi(
        np.full(SHAPE, 100.0),
        local_field_hz=field_hz,
        mask=MASK,
        hz_per_ppm=HZ_PER_PPM,
        settings=SwiSettings(**settings),
    )


def test_a_paramagnetic_vein_along_b0_is_dark():
    found = of(vein_field_hz(0.3))
    expected = 100 * (1 - 2 * 2.55 * 0.1) ** 4
    np.testing.assert_allclose(found[VEIN], expected)
    np.testing.assert_allclose(found[~VEIN], 100)
    assert expected < 10


def test_a_vein_across_b0_is_seen_by_its_dark_surroundings():
    found = of(vein_field_hz(0.3, along_b0=False))
    assert found[VEIN].min() == 100
    assert found[(RADIUS2 >= 9) & (RADIUS2 < 16)].min() < 60


def test_a_diamagnetic_calcification_along_b0_stays_bright():
    np.testing.assert_allclose(of(vein_field_hz(-0.3)), 100)


def test_weight_ends_at_half_a_turn_and_grows_with_the_power():
    field = np.linspace(-1, 1, SHAPE[0])[:, None, None] * HZ_PER_PPM * np.ones(SHAPE)
    found = of(field)
    assert found.min() == 0
    assert (np.diff(found[:, 0, 0]) <= 0).all()
    assert (of(field, power=2) >= found).all()


def test_the_same_image_at_every_field_strength():
    low = swi(np.full(SHAPE, 100.0), local_field_hz=0.5 * vein_field_hz(0.3), mask=MASK, hz_per_ppm=0.5 * HZ_PER_PPM)
    np.testing.assert_allclose(low, of(vein_field_hz(0.3)))


def test_outside_the_mask_the_magnitude_stays():
    magnitude = np.random.default_rng(0).uniform(10, 100, SHAPE)
    found = swi(magnitude, local_field_hz=vein_field_hz(0.3), mask=~VEIN, hz_per_ppm=HZ_PER_PPM)
    np.testing.assert_array_equal(found, magnitude)


@pytest.mark.parametrize("power", [1, 4])
def test_every_array_library(xp_case, power):
    found = swi(
        xp_case.asarray(np.full(SHAPE, 100.0), "float32"),
        local_field_hz=xp_case.asarray(vein_field_hz(0.3), "float32"),
        mask=xp_case.asarray(MASK),
        hz_per_ppm=HZ_PER_PPM,
        settings=SwiSettings(power=power),
    )
    xp_case.check(found, "float32", SHAPE)
    np.testing.assert_allclose(xp_case.numpy(found), of(vein_field_hz(0.3), power=power), rtol=1e-4)
