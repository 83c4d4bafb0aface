from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from napari_msqsm.qsm.phase_sign import map_sign_from_data, phase_sign_from_data

SHAPE, VOXEL = (33, 36, 27), (3.0, 3.0, 4.0)


@pytest.fixture(scope="module")
def brain(make_head):
    return make_head(SHAPE, VOXEL)


def test_iron_confirms_the_sign(brain):
    verdict = phase_sign_from_data(brain.series, mask=brain.brain)
    assert verdict.sign == 1
    assert verdict.contrast > 1
    assert "confirmed" in verdict.sentence


def test_iron_contradicts_the_opposite_sign(brain):
    flipped = replace(brain.series, phase_rad=-brain.series.phase_rad)
    verdict = phase_sign_from_data(flipped, mask=brain.brain)
    assert verdict.sign == -1
    assert "contradict" in verdict.sentence
    right = phase_sign_from_data(brain.series, mask=brain.brain)
    assert verdict.contrast == pytest.approx(-right.contrast, rel=0.05)


def test_noise_settles_nothing(brain):
    rng = np.random.default_rng(0)
    noise = rng.uniform(-np.pi, np.pi, brain.series.phase_rad.shape).astype(np.float32)
    assert phase_sign_from_data(replace(brain.series, phase_rad=noise), mask=brain.brain).sign == 0


def test_no_iron_settles_nothing(brain):
    t = np.array(brain.series.echo_times_s)[:, None, None, None]
    even = (100 * brain.brain * np.exp(-18 * t)).astype(np.float32)
    verdict = phase_sign_from_data(replace(brain.series, magnitude=even), mask=brain.brain)
    assert verdict.sign == 0
    assert math.isnan(verdict.contrast)


def test_too_few_echoes_or_voxels_settle_nothing(brain):
    two = replace(
        brain.series,
        magnitude=brain.series.magnitude[:2],
        phase_rad=brain.series.phase_rad[:2],
        echo_times_s=brain.series.echo_times_s[:2],
    )
    assert "three echoes" in phase_sign_from_data(two, mask=brain.brain).sentence
    assert phase_sign_from_data(replace(brain.series, phase_rad=None), mask=brain.brain).sign == 0
    small = np.zeros(SHAPE, bool)
    small[14:19, 14:19, 11:15] = True
    assert phase_sign_from_data(brain.series, mask=small).sign == 0


def test_every_array_library(xp_case, brain):
    moved = replace(
        brain.series,
        magnitude=xp_case.asarray(brain.series.magnitude),
        phase_rad=xp_case.asarray(brain.series.phase_rad),
    )
    verdict = phase_sign_from_data(moved, mask=xp_case.asarray(brain.brain))
    assert verdict.sign == 1
    assert verdict.contrast == pytest.approx(phase_sign_from_data(brain.series, mask=brain.brain).contrast, rel=0.05)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_finished_map_tells_the_sign_of_a_given_field(axes_mm, sign):
    shape, voxel = (41, 43, 37), (3.0, 3.0, 3.0)
    x, y, z = axes_mm(shape, voxel)
    brain = (x / 58) ** 2 + (y / 60) ** 2 + (z / 52) ** 2 < 1
    iron = (np.abs(x) - 15) ** 2 + y**2 + z**2 < 64
    rng = np.random.default_rng(3)
    chi = (sign * (0.1 * iron + rng.normal(0, 0.01, shape)) * brain).astype(np.float32)
    r2star = (np.where(iron, 40.0, 18.0) + rng.normal(0, 1, shape)).astype(np.float32)
    verdict = map_sign_from_data(chi, r2star_hz=r2star, mask=brain, voxel_size_mm=voxel)
    assert verdict.sign == sign
    assert "field" in verdict.sentence
