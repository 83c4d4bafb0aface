"""Moved dates and ages."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from napari_msqsm.workflow.dicom_import import dates

at = datetime.fromisoformat

FIRST = at("2018-03-05T09:15:00")


def test_offsets_are_drawn_and_land_in_a_window_that_does_not_depend_on_the_scan():
    days = [(FIRST + timedelta(days=dates.new_offset_days(FIRST))).date() for _ in range(200)]
    assert min(days).year >= 1900
    assert max(days).year <= 1905
    assert len(set(days)) > 150


@pytest.mark.parametrize("offset", [0, -40123, -1])
def test_days_between_scans_are_true_whatever_the_times_of_day(offset):
    scans = [FIRST, at("2018-09-30T23:59:00"), at("2020-02-29T00:01:00"), at("2024-03-05T06:00:00")]
    written = [dates.written_time(scan, scan, offset) for scan in scans]
    for one, moved in zip(scans, written, strict=True):
        assert (moved - written[0]).days == (one.date() - scans[0].date()).days
        assert moved - written[0] == one.date() - scans[0].date(), "whole days"
        assert (moved.hour, moved.minute) == (12, 0)


def test_order_within_a_session_is_kept_and_its_time_of_day_is_not():
    later = FIRST + timedelta(minutes=7, seconds=30, microseconds=999)
    written = dates.written_time(later, FIRST, -100)
    assert written == at("2017-11-25T12:07:30")


def test_session_past_midnight():
    begin = at("2018-03-05T23:50:00")
    assert dates.written_time(begin + timedelta(minutes=20), begin, 0) == at("2018-03-05T12:20:00")


@pytest.mark.parametrize(
    ("header", "exact", "age"),
    [
        ({"PatientBirthDate": "19840312"}, True, 34.0),
        ({"PatientBirthDate": "19840312", "PatientAge": "050Y"}, False, 33.0),
        ({"PatientBirthDate": "", "PatientAge": "034Y"}, True, 34.0),
        ({"PatientAge": "018M"}, True, 1.5),
        ({"PatientAge": "000Y"}, True, None),
        ({"PatientAge": "old"}, True, None),
        ({"PatientBirthDate": "10840312"}, True, None),
        ({"PatientBirthDate": "20190101", "PatientAge": "034Y"}, True, 34.0),
        ({"PatientBirthDate": "31.12.1984"}, True, None),
        ({}, True, None),
    ],
)
def test_age(header, exact, age):
    assert dates.age_y(header, FIRST, exact=exact) == age
