"""Quality numbers in words."""

from __future__ import annotations

import math

import pytest

from napari_msqsm.qsm.quality.numbers import MEANING
from napari_msqsm.widgets.quality_words import quality_html, quality_rows, quality_warnings

GOOD = dict.fromkeys(MEANING, 1.0) | {
    "snr_first_echo": 90.0,
    "mask_volume_mm3": 1.4e6,
    "csf_volume_mm3": 2e4,
    "harmonic_fraction": 0.1,
    "wraps_left_fraction": 0.0,
    "fit_residual_median": 0.01,
}


def test_every_number_has_a_title_and_a_meaning():
    rows = quality_rows(GOOD)
    assert len({row.title for row in rows}) == len(MEANING)
    assert not {row.title for row in rows} & set(MEANING)
    assert all(row.meaning for row in rows)
    assert quality_warnings(GOOD) == []


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("csf_mean_ppb", -1e-7, "0.0 ppb"),
        ("csf_sd_ppb", None, "not known"),
        ("csf_sd_ppb", math.nan, "not known"),
        ("mask_volume_mm3", 1_523_400.0, "1,523 cm³"),
        ("csf_volume_mm3", 10_809.0, "10,809 mm³"),
        ("kept_fraction", 0.7609, "76 %"),
        ("wraps_left_fraction", 0.0, "none"),
        ("wraps_left_fraction", 0.00012, "0.012 %"),
        ("fit_residual_median", 0.0194, "1.9 %"),
        ("streak_index", 0.6402, "0.64"),
    ],
)
def test_values_carry_their_unit(name, value, text):
    assert quality_rows({name: value})[0].value == text


def test_an_unusual_number_is_marked_and_the_others_are_not():
    html = quality_html(GOOD | {"edge_energy_ratio": 2.92}, has_map=True)
    assert html.count("background is left at the edge") == 1
    assert html.count("⚠ 2.92") == 1
    assert html.count("⚠") == 2
    assert quality_warnings({"edge_energy_ratio": 2.92}) == [
        "Field at the edge / inside 2.92: background is left at the edge of the local field"
    ]


def test_numbers_without_words_come_last_under_their_own_name():
    rows = quality_rows({"brand_new": 3.0, "streak_index": 1.0})
    assert [row.title for row in rows] == ["Streaks", "brand_new"]


def test_why_there_are_no_numbers_is_said():
    assert "no susceptibility map" in quality_html({}, has_map=False)
    assert "not made here" in quality_html({}, has_map=True)
