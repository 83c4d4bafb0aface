"""Unusual quality numbers."""

from __future__ import annotations

import math

import pytest

from napari_msqsm.qsm.quality.limits import USUAL, suspicions
from napari_msqsm.qsm.quality.numbers import MEANING


def test_limits_belong_to_numbers_and_say_what_they_suggest():
    assert set(USUAL) <= set(MEANING)
    for usual in USUAL.values():
        assert usual.low < usual.high
        assert math.isfinite(usual.low) or math.isfinite(usual.high)
        assert usual.otherwise


@pytest.mark.parametrize("name", list(USUAL))
def test_a_number_is_unusual_beyond_its_limit_only(name):
    usual = USUAL[name]
    for bound, outward in ((usual.low, -1), (usual.high, 1)):
        if math.isfinite(bound):
            assert suspicions({name: bound + outward * 0.01 * bound}) == {name: usual.otherwise}
            assert suspicions({name: bound - outward * 0.01 * bound}) == {}


def test_what_is_not_known_or_not_limited_is_not_unusual():
    assert suspicions({"csf_sd_ppb": None, "streak_index": math.nan, "brain_mean_ppb": 1e6, "other": 1e6}) == {}
