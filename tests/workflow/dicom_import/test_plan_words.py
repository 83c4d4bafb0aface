"""What a whole import plan says."""

from __future__ import annotations

from dataclasses import replace

from napari_msqsm.io.dicom.series import ConvertedSeries, LeftOut
from napari_msqsm.workflow.dicom_import.plan import ImportPlan, PlannedSeries
from napari_msqsm.workflow.dicom_import.plan_words import plan_words


def row(number, session_id="01", **changes):
    series = ConvertedSeries(f"1.{number}", "1", "A", number, "x", None, 1, ())
    return replace(PlannedSeries(series, "FLAIR", 0.95, "", "01", session_id), **changes)


def test_what_is_written_and_what_deserves_a_look_is_counted():
    rows = (row(1), row(2, "02"), row(3, "02", role="ignore"), row(4, "02", confidence=0.3))
    plan = ImportPlan(rows, (LeftOut("1 file", "not DICOM"),))
    assert plan_words(plan) == (
        "3 of 4 series will be written: 1 patient, 2 sessions; 1 needs a look; 1 note on what could not be read."
    )


def test_nothing_to_write():
    assert plan_words(ImportPlan(())) == "0 of 0 series will be written; 0 need a look."
