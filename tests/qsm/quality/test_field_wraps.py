from __future__ import annotations

import math

import numpy as np
import pytest

from napari_msqsm.qsm.quality.field_wraps import wraps_left_fraction

SHAPE = (9, 8, 7)
MASK = np.zeros(SHAPE, bool)
MASK[1:8, 1:7, 1:6] = True
SMOOTH = np.linspace(-200, 200, SHAPE[0])[:, None, None] * np.ones(SHAPE)
PERIOD_HZ = 240.0


def pairs():
    return sum(
        int((np.diff(MASK.astype(int), axis=a) == 0)[np.take(MASK, range(n - 1), a)].sum()) for a, n in enumerate(SHAPE)
    )


def test_a_smooth_field_is_clean_however_large():
    assert wraps_left_fraction(SMOOTH, period_hz=PERIOD_HZ, mask=MASK) == 0


def test_one_wrapped_voxel_is_six_pairs():
    field = SMOOTH.copy()
    field[4, 4, 3] += PERIOD_HZ
    assert wraps_left_fraction(field, period_hz=PERIOD_HZ, mask=MASK) == pytest.approx(6 / pairs())


def test_a_wrapped_half_is_the_plane_between():
    field = np.where(np.arange(SHAPE[1])[None, :, None] > 3, SMOOTH + PERIOD_HZ, SMOOTH)
    assert wraps_left_fraction(field, period_hz=PERIOD_HZ, mask=MASK) == pytest.approx(7 * 5 / pairs())


def test_outside_the_mask_anything_may_be():
    field = np.where(MASK, SMOOTH, 1e5)
    assert wraps_left_fraction(field, period_hz=PERIOD_HZ, mask=MASK) == 0


def test_nothing_to_compare_is_not_a_number():
    lone = np.zeros(SHAPE, bool)
    lone[4, 4, 3] = True
    assert math.isnan(wraps_left_fraction(SMOOTH, period_hz=PERIOD_HZ, mask=lone))
    assert math.isnan(wraps_left_fraction(SMOOTH, period_hz=math.nan, mask=MASK))
