"""Dates are read in one way or not at all."""
# ruff: noqa: DTZ001  spreadsheets know no zone

from __future__ import annotations

from datetime import datetime

import pytest

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.workflow.bring_in.tables.dates import parsed_dates

NOON = datetime(2020, 3, 14, 12)


@pytest.mark.parametrize(
    ("cell", "date"),
    [
        ("2020-03-14", NOON),
        ("2020/03/14", NOON),
        ("2020-03-14T09:30:15", datetime(2020, 3, 14, 9, 30, 15)),
        ("2020-03-14 09:30", datetime(2020, 3, 14, 9, 30)),
        ("14.03.2020", NOON),
        ("14.3.2020 08:05", datetime(2020, 3, 14, 8, 5)),
        ("14/03/2020", NOON),
        ("03/14/2020", NOON),
        ("20200314", NOON),
        (20200314.0, NOON),
        ("14. März 2020", NOON),
        ("14-Mar-2020", NOON),
        (datetime(2020, 3, 14), NOON),
        (datetime(2020, 3, 14, 7), datetime(2020, 3, 14, 7)),
        (None, None),
    ],
)
def test_ways_to_write_a_date(cell, date):
    assert parsed_dates([cell], order=None, column="Date") == [date]


def test_one_date_tells_the_order_of_all():
    assert parsed_dates(["01/02/2020", "25/02/2020"], order=None, column="Date")[0] == datetime(2020, 2, 1, 12)
    assert parsed_dates(["01/02/2020", "02/25/2020"], order=None, column="Date")[0] == datetime(2020, 1, 2, 12)


def test_what_may_mean_two_days_is_asked():
    with pytest.raises(ParameterError, match="--date-order dmy or mdy"):
        parsed_dates(["01/02/2020"], order=None, column="Date")
    assert parsed_dates(["01/02/2020"], order="dmy", column="Date") == [datetime(2020, 2, 1, 12)]
    assert parsed_dates(["01/02/2020"], order="mdy", column="Date") == [datetime(2020, 1, 2, 12)]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["25/01/2020", "01/25/2020"], "holds days before months"),
        (["01.02.20"], "two digits"),
        (["31.02.2020"], "no day of the calendar"),
        (["soon"], "is no date"),
        ([43528.0], "is no date"),
    ],
)
def test_what_is_no_date_is_refused(cells, words):
    with pytest.raises(InputError, match=words):
        parsed_dates(cells, order=None, column="Date")


def test_a_declared_order_does_not_bend_the_calendar():
    with pytest.raises(InputError, match="no day of the calendar"):
        parsed_dates(["02/25/2020"], order="dmy", column="Date")
