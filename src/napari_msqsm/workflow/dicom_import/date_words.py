"""Date of a series as it will be written, as far as it is known before writing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from napari_msqsm.workflow.dicom_import.dates import begin_of
from napari_msqsm.workflow.dicom_import.grouping import grouped

if TYPE_CHECKING:
    from napari_msqsm.workflow.dicom_import.plan import ImportPlan, PlannedSeries


class DateWords:
    """Says on which day a series will be.

    Parameters
    ----------
    plan
        All rows, and the study that they are added to.
    keep_dates
        Whether true dates are written.
    """

    def __init__(self, plan: ImportPlan, *, keep_dates: bool) -> None:
        self._existing = plan.existing
        self._keep_dates = keep_dates
        kept = [row for row in plan.rows if row.is_kept] or plan.rows
        self._begins = {label: begin_of(rows) for label, rows in grouped(kept, lambda row: row.label).items()}
        self._firsts = {name: begin_of(rows) for name, rows in grouped(kept, lambda row: row.patient_id).items()}

    def __call__(self, row: PlannedSeries) -> str:
        """Return a date, where dates are kept or the patient's shift is known from the private key.

        Otherwise the day counted from the patient's first scan of this import: the shift of a new patient is drawn when
        the study is written.
        """
        begin = self._begins.get(row.label) or row.series.acquired_at
        if row.series.acquired_at is None or begin is None:
            return "no date"
        offset_days = 0 if self._keep_dates else self._existing.offset_days(row.patient_id)
        if offset_days is not None:
            return f"{begin + timedelta(days=offset_days):%Y-%m-%d}"
        first = self._firsts.get(row.patient_id) or begin
        return f"day {(begin.date() - first.date()).days}"


def true_date_words(row: PlannedSeries) -> str:
    """Date and time as the scanner wrote them."""
    return "no date" if row.series.acquired_at is None else f"{row.series.acquired_at:%Y-%m-%d %H:%M}"
