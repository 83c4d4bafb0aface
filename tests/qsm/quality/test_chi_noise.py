from __future__ import annotations

import math

import numpy as np
import pytest

from napari_msqsm.qsm.quality.chi_noise import chi_noise_ppb

SHAPE = (24, 22, 20)
MASK = np.zeros(SHAPE, bool)
MASK[2:22, 2:20, 2:18] = True
RNG = np.random.default_rng(0)
BLOCKS = np.kron(RNG.normal(0, 0.05, (4, 4, 4)), np.ones((6, 6, 5)))[: SHAPE[0], : SHAPE[1], : SHAPE[2]]


def test_noise_is_measured_and_blocks_are_not():
    assert chi_noise_ppb(BLOCKS, mask=MASK) < 0.1
    for sd_ppb in (1.0, 5.0, 20.0):
        noise = RNG.normal(0, sd_ppb / 1000, SHAPE)
        assert chi_noise_ppb(noise, mask=MASK) == pytest.approx(sd_ppb, rel=0.1)
        assert sd_ppb < chi_noise_ppb(BLOCKS + noise, mask=MASK) < 2 * sd_ppb + 3


def test_the_border_of_the_image_is_no_neighbour():
    everywhere = np.ones(SHAPE, bool)
    ramp = (
        np.linspace(0, 1, SHAPE[0])[:, None, None] * np.linspace(0, 1, SHAPE[1])[:, None] * np.linspace(0, 1, SHAPE[2])
    )
    assert chi_noise_ppb(ramp, mask=everywhere) < 1e-6


def test_thin_masks_are_not_a_number():
    thin = np.zeros(SHAPE, bool)
    thin[:, :, 5:7] = True
    assert math.isnan(chi_noise_ppb(BLOCKS, mask=thin))


def test_every_array_library(xp_case):
    noise = RNG.normal(0, 0.005, SHAPE)
    found = chi_noise_ppb(xp_case.asarray(noise, "float32"), mask=xp_case.asarray(MASK))
    assert found == pytest.approx(chi_noise_ppb(noise, mask=MASK), rel=1e-3)
