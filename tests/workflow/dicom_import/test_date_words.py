"""Dates of the import table."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from napari_msqsm.io.dicom.series import ConvertedSeries
from napari_msqsm.workflow.dicom_import.date_words import DateWords, true_date_words
from napari_msqsm.workflow.dicom_import.existing import Existing, KeyRow
from napari_msqsm.workflow.dicom_import.plan import ImportPlan, PlannedSeries

at = datetime.fromisoformat


def row(number, session_id, acquired_at, patient_id="01"):
    series = ConvertedSeries(f"1.{number}", "1", "A", number, "x", acquired_at, 1, ())
    return PlannedSeries(series, "FLAIR", 0.95, "", patient_id, session_id)


ROWS = (
    row(1, "01", at("2019-03-02T23:50")),
    row(2, "01", at("2019-03-03T00:10")),
    row(3, "02", at("2020-06-15T09:00")),
    row(4, "03", None),
    row(5, "01", at("2021-01-01T08:00"), "02"),
)


def words(plan, *, keep_dates=False):
    date_words = DateWords(plan, keep_dates=keep_dates)
    return [date_words(row) for row in plan.rows]


def test_new_patients_have_days_from_their_first_scan():
    assert words(ImportPlan(ROWS)) == ["day 0", "day 0", "day 471", "no date", "day 0"]


def test_kept_dates_are_those_of_the_session():
    assert words(ImportPlan(ROWS), keep_dates=True) == ["2019-03-02"] * 2 + ["2020-06-15", "no date", "2021-01-01"]


def test_a_shift_that_the_key_knows_is_shown():
    known = KeyRow("01", "00", "", "A", "", "", "", "1", "0.1", 1, "", at("2018-01-01"), -40000)
    plan = ImportPlan(ROWS, existing=Existing(key=(known,)))
    shown = words(plan)
    assert shown[3:] == ["no date", "day 0"]
    days = at(shown[2]) - at(shown[0])
    assert days.days == 471
    assert shown[0] == "1909-08-26"


def test_what_is_left_out_does_not_move_the_first_day():
    rows = (replace(ROWS[0], role="ignore"), *ROWS[2:])
    assert words(ImportPlan(rows))[1] == "day 0"


@pytest.mark.parametrize(("place", "said"), [(0, "2019-03-02 23:50"), (3, "no date")])
def test_the_true_date_is_as_the_scanner_wrote_it(place, said):
    assert true_date_words(ROWS[place]) == said
