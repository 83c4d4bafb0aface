"""Who is scanned and when, and what was written: the truth that an import is compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np


@dataclass(frozen=True)
class Patient:
    """As registered at the scanner; dates as DICOM writes them, YYYYMMDD."""

    patient_id: str = "MS0815"
    name: str = "Musterfrau^Erika"
    birth_date: str = "19840312"
    sex: str = "F"
    weight_kg: float = 64.0


@dataclass(frozen=True)
class Visit:
    """One study of a patient: day, begin, and the scanner that was used."""

    date: str = "20180305"
    time: str = "091500"
    vendor: str = "siemens"

    def minutes_later(self, minutes: float) -> str:
        """Time of day (HHMMSS.ffffff) some minutes after the begin."""
        seconds = int(self.time[:2]) * 3600 + int(self.time[2:4]) * 60 + int(self.time[4:6]) + minutes * 60
        hours, rest = divmod(seconds, 3600)
        return f"{int(hours) % 24:02d}{int(rest // 60):02d}{rest % 60:09.6f}"


@dataclass(frozen=True, eq=False)
class Written:
    """One DICOM series on disk and what is in it.

    ``values`` maps a part (mag, phase, real, imag) to an array (echo, column, row, slice) of the true values before
    they were quantised (phase in radians as this vendor stores it), ``step`` to what one stored unit is worth.
    ``affine`` takes (column, row, slice) to RAS mm.
    """

    series_uid: str
    number: int
    role: str
    vendor: str
    folder: Path
    files: tuple[Path, ...]
    affine: np.ndarray
    values: dict[str, np.ndarray]
    step: dict[str, float]
    echo_times_s: tuple[float, ...] = ()
    patient: Patient = field(default_factory=Patient)
    visit: Visit = field(default_factory=Visit)
    header: dict[str, Any] = field(default_factory=dict)
