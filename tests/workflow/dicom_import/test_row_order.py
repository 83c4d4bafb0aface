"""Order of the import table: rows of one acquisition stay together."""

from __future__ import annotations

import pytest

from napari_msqsm.io.dicom.series import ConvertedSeries
from napari_msqsm.workflow.dicom_import.plan import PlannedSeries
from napari_msqsm.workflow.dicom_import.row_order import arranged, rows_to_look_at


def row(number, acquisition, confidence=0.95, description="x"):
    series = ConvertedSeries(f"1.{number}", "1", "A", number, description, None, 1, ())
    return PlannedSeries(series, "MEGRE", confidence, "", "01", "01", acquisition)


ROWS = [row(5, 2, 0.95), row(1, 1, 0.7), row(2, 3, 0.2), row(4, 2, 0.65), row(3, 4, 0.9)]


def numbers(indices):
    return [ROWS[index].series.number for index in indices]


def test_an_acquisition_stands_where_its_first_row_does():
    assert numbers(arranged(ROWS, lambda row: row.confidence)) == [2, 4, 5, 1, 3]


def test_descending_an_acquisition_stands_where_its_largest_does():
    assert numbers(arranged(ROWS, lambda row: row.confidence, descending=True)) == [4, 5, 3, 1, 2]


@pytest.mark.parametrize("descending", [False, True])
def test_equal_keys_keep_the_order_of_the_table(descending):
    assert numbers(arranged(ROWS, lambda _: 0, descending=descending)) == [4, 5, 1, 2, 3]


def test_an_acquisition_is_shown_in_full_when_one_of_its_rows_matters():
    assert numbers(arranged(ROWS, lambda row: row.series.number, keep=lambda row: row.confidence == 0.65)) == [4, 5]
    assert arranged(ROWS, lambda _: 0, keep=lambda _: False) == []
    assert arranged([], lambda _: 0) == []


def test_series_that_are_left_out_stand_alone():
    rows = [row(1, 0), row(2, 1), row(3, 0)]
    assert arranged(rows, lambda row: row.series.number) == [0, 1, 2]


def test_rows_to_look_at_are_counted():
    assert rows_to_look_at(ROWS) == 1
