from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from napari_msqsm.qsm.dipole import convolve, dipole_kernel
from napari_msqsm.qsm.inversion.tkd import TkdSettings, tkd
from napari_msqsm.qsm.quality.streaks import streak_index

SHAPE, VOXEL_MM = (48, 44, 31), (1.5, 1.5, 2.0)
TILTED = (0.0, math.sin(math.radians(25)), math.cos(math.radians(25)))
RNG = np.random.default_rng(0)


def balls():
    axes = np.meshgrid(*((np.arange(n) - n // 2) * s for n, s in zip(SHAPE, VOXEL_MM, strict=True)), indexing="ij")
    chi = np.zeros(SHAPE)
    for _ in range(60):
        centre, radius = RNG.uniform(-20, 20, 3), RNG.uniform(2, 5)
        chi[sum((a - c) ** 2 for a, c in zip(axes, centre, strict=True)) < radius**2] = RNG.normal(0, 0.05)
    return chi.astype(np.float32), sum(a**2 for a in axes) < 28**2


CHI, MASK = balls()


def index(chi, b0=(0.0, 0.0, 1.0), mask=MASK, voxel=VOXEL_MM):
    return streak_index(np.asarray(chi, np.float32), mask=mask, voxel_size_mm=voxel, b0_direction=b0)


@pytest.mark.parametrize("b0", [(0.0, 0.0, 1.0), (1.0, 0.0, 0.0), TILTED])
def test_about_one_for_tissue_and_noise(b0):
    assert index(CHI, b0) == pytest.approx(1, abs=0.3)
    assert index(RNG.normal(0, 1, SHAPE), b0) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("b0", [(0.0, 0.0, 1.0), TILTED])
def test_streaks_raise_it_and_an_empty_cone_lowers_it(b0):
    kernel = dipole_kernel(SHAPE, VOXEL_MM, b0, like=CHI)
    cone = (np.abs(kernel) < 0.05).astype(np.float32)
    streaks = convolve(RNG.normal(0, 0.03, SHAPE).astype(np.float32), cone)
    levels = [index(CHI + part * streaks, b0) for part in (0, 1, 2, 4)]
    assert all(later > 1.15 * earlier for earlier, later in itertools.pairwise(levels))
    assert index(CHI - convolve(CHI, cone), b0) < 0.5 * levels[0]


def test_amplified_noise_of_a_small_threshold_shows():
    kernel = dipole_kernel(SHAPE, VOXEL_MM, (0.0, 0.0, 1.0), like=CHI)
    field = (convolve(CHI, kernel) + RNG.normal(0, 0.003, SHAPE)).astype(np.float32)

    def of(threshold):
        found = tkd(
            field,
            mask=MASK,
            voxel_size_mm=VOXEL_MM,
            b0_direction=(0.0, 0.0, 1.0),
            hz_per_ppm=1.0,
            settings=TkdSettings(threshold=threshold),
        )
        return index(found.chi_ppm)

    assert of(0.02) > 1.5 * of(0.05) > 3 * of(0.15)


def test_scale_offset_axes_and_mirrors_have_no_say():
    wanted = index(CHI)
    assert index(1000 * CHI + 7) == pytest.approx(wanted, rel=1e-3)
    assert index(CHI[::-1, :, ::-1], mask=MASK[::-1, :, ::-1]) == pytest.approx(wanted, rel=0.03)
    turned = index(np.moveaxis(CHI, 2, 0), (1.0, 0.0, 0.0), mask=np.moveaxis(MASK, 2, 0), voxel=(2.0, 1.5, 1.5))
    assert turned == pytest.approx(wanted, rel=1e-3)


def test_nothing_is_not_a_number():
    assert math.isnan(index(CHI, mask=np.zeros(SHAPE, bool)))
    assert math.isnan(index(np.zeros(SHAPE)))


def test_every_array_library(xp_case):
    found = streak_index(
        xp_case.asarray(CHI, "float32"), mask=xp_case.asarray(MASK), voxel_size_mm=VOXEL_MM, b0_direction=TILTED
    )
    assert found == pytest.approx(index(CHI, TILTED), rel=1e-3)
