"""What a row of the import table says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from napari_msqsm.io.dicom.series import ConvertedImage, ConvertedSeries
from napari_msqsm.workflow.dicom_import.plan import ROLES, PlannedSeries
from napari_msqsm.workflow.dicom_import.row_words import (
    confidence_words,
    echo_words,
    gadolinium_words,
    needs_look,
    part_words,
    role_words,
    run_words,
    series_words,
    size_words,
)


def row_of(parts, times_s, shape=(64, 64, 20), **changes):
    images = tuple(
        ConvertedImage(Path(f"{part}{n}.nii.gz"), part, time, shape) for part in parts for n, time in enumerate(times_s)
    )
    series = ConvertedSeries("1.2", "1", "A", 4, "t2s_gre", None, 40, images)
    return replace(PlannedSeries(series, "MEGRE", 0.95, "four echoes", "01", "01", 1), **changes)


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(1.0, "sure"), (0.9, "sure"), (0.75, "likely"), (0.51, "likely"), (0.5, "please check"), (0.2, "please check")],
)
def test_confidence_is_told_in_three_words(confidence, words):
    assert confidence_words(row_of(["mag"], [0.005], confidence=confidence)) == words


def test_an_uncertain_row_and_one_with_a_problem_need_a_look():
    assert not needs_look(row_of(["mag"], [0.005]))
    assert needs_look(row_of(["mag"], [0.005], confidence=0.3))
    assert needs_look(row_of(["mag"], [0.005], problems=("2 slices are missing",)))


def test_echoes_are_counted_and_given_in_ms():
    assert echo_words(row_of(["mag", "phase"], [0.02, 0.005, 0.0125])) == "3 (5.0…20.0 ms)"
    assert echo_words(row_of(["mag"], [0.0954])) == "1 (95.4 ms)"
    assert echo_words(row_of(["mag"], [None])) == ""


def test_parts_stand_in_one_order():
    assert part_words(row_of(["phase", "mag"], [0.005])) == "magnitude + phase"
    assert part_words(row_of(["imag", "real"], [0.005])) == "real + imaginary"


def test_sizes_are_told_once_each():
    one = row_of(["mag"], [0.005, 0.01])
    assert size_words(one) == "64 × 64 × 20"
    other = ConvertedImage(Path("b.nii.gz"), "mag", 0.015, (64, 64, 18))
    both = replace(one, series=replace(one.series, images=(*one.series.images, other)))
    assert size_words(both) == "64 × 64 × 20, 64 × 64 × 18"


def test_every_role_has_words_of_its_own():
    assert len({role_words(role) for role in ROLES}) == len(ROLES)


def test_repeated_runs_tell_which_one_is_used():
    row = row_of(["mag"], [0.005], run=2)
    assert run_words(row) == "2"
    assert run_words(replace(row, run=1, used=False)) == "1, not used"
    assert run_words(replace(row, role="ignore")) == ""


def test_gadolinium_and_series():
    assert [gadolinium_words(post_gd=value) for value in (True, False, None)] == ["yes", "no", "unknown"]
    assert series_words(row_of(["mag"], [0.005])) == "4 t2s_gre"
