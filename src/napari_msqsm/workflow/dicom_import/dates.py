"""Dates that tell nothing of when a scan was, and everything of how much time lies between scans.

All dates of a patient move by one whole number of days, drawn at random and kept in the private key file. The first
scan lands on a day drawn uniformly from five years before 1905: where it lands does not depend on when it was, and a
date before 1925 cannot be taken for a true one (BIDS asks for that). Intervals in days, and with them lesion ages, stay
what they are. The time of day is not kept, for it would find the scan in a hospital's records: every session begins at
noon, and what was scanned later in it follows after the true number of seconds.
"""

from __future__ import annotations

import secrets
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari_msqsm.workflow.dicom_import.plan import PlannedSeries

_EARLIEST = datetime(1900, 3, 1)  # noqa: DTZ001  no zone; spreadsheets know no earlier day
_DAYS = 5 * 365
_NOON = time(12)
_DAYS_PER_YEAR = 365.25
_IMPOSSIBLE_AGE_Y = 125.0
OLDEST_AGE_Y = 89
"""Ages above identify a person (HIPAA); they are written as this one."""


def new_offset_days(first_scan: datetime) -> int:
    """Days by which the dates of a new patient move: random, from the operating system's source."""
    target = _EARLIEST + timedelta(days=secrets.randbelow(_DAYS))
    return (target.date() - first_scan.date()).days


def begin_of(rows: Iterable[PlannedSeries]) -> datetime | None:
    """When the earliest of some series was acquired; None where no header has a date."""
    return min((row.series.acquired_at for row in rows if row.series.acquired_at is not None), default=None)


def written_time(acquired_at: datetime, begin: datetime, offset_days: int) -> datetime:
    """Time that is written for a scan: the session begins at noon of its moved day.

    Parameters
    ----------
    acquired_at
        When it was.
    begin
        When the first scan of its session was.
    offset_days
        Of the patient; 0 keeps the date.
    """
    noon = datetime.combine(begin.date(), _NOON) + timedelta(days=offset_days)
    return (noon + (acquired_at - begin)).replace(microsecond=0)


def age_y(header: Mapping[str, object], scanned: datetime | None, *, exact: bool) -> float | None:
    """Age in years: from the birth date to a tenth, else as the header has it in whole years.

    Parameters
    ----------
    header
        With ``PatientBirthDate`` and ``PatientAge``.
    scanned
        Day of the scan.
    exact
        Whether tenths may be told: beside a true date they would tell the birthday.
    """
    age: float | None = None
    birth = _birth(header)
    if birth is not None and scanned is not None and scanned >= birth:
        age = (scanned - birth).days / _DAYS_PER_YEAR
    elif (text := str(header.get("PatientAge", "")).strip().upper()) and text[:-1].isdigit():
        age = int(text[:-1]) / {"Y": 1.0, "M": 12.0, "W": 52.18, "D": _DAYS_PER_YEAR}.get(text[-1], 1.0)
    if not age or age > _IMPOSSIBLE_AGE_Y:  # anonymised headers say 000Y
        return None
    return round(age, 1) if exact else float(int(age))


def _birth(header: Mapping[str, object]) -> datetime | None:
    try:
        return datetime.strptime(str(header.get("PatientBirthDate", "")).strip(), "%Y%m%d")  # noqa: DTZ007  a day
    except ValueError:
        return None
