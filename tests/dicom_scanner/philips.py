"""Philips, one file per slice: all parts and echoes in one series, rescaled to milliradians by the header."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicom_scanner.head import gre_signal
from dicom_scanner.instances import new_series, place, save_slices, stored_as
from dicom_scanner.people import Patient, Visit, Written
from dicom_scanner.vendors import GRE_HEADER, GRE_NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from dicom_scanner.geometry import Geometry

WORDS = {
    "mag": ["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"],
    "phase": ["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"],
    "real": ["ORIGINAL", "PRIMARY", "R_FFE", "R", "FFE"],
    "imag": ["ORIGINAL", "PRIMARY", "I_FFE", "I", "FFE"],
}
COMPONENT = {"mag": "MAGNITUDE", "phase": "PHASE", "real": "REAL", "imag": "IMAGINARY"}
PHASE_SLOPE = 2 * 3141.59265 / 4095
"""Milliradians per stored unit."""


def scaling(part: str) -> tuple[float, float, float, float]:
    """Rescale slope and intercept, private scale slope, and what one stored unit means (radians, or 1 at full)."""
    if part == "phase":
        return PHASE_SLOPE, -3141.59265, 1000 / PHASE_SLOPE, PHASE_SLOPE / 1e3
    if part == "mag":
        return 1.7, 0.0, 0.0032, 1 / 4095
    return 3.4, -3.4 * 2048, 0.0032, 1 / 2047


def stored_values(part: str, signal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """True and stored values (0…4095) of a part of the complex signal."""
    true = {"mag": np.abs, "phase": np.angle, "real": np.real, "imag": np.imag}[part](signal)
    *_, step = scaling(part)
    middle = {"mag": 0.0, "phase": 2047.5, "real": 2048.0, "imag": 2048.0}[part]
    return true, np.clip(np.round(true / step + middle), 0, 4095)


def write_philips_gre(
    folder: Path,
    geometry: Geometry,
    echo_times_s: tuple[float, ...],
    *,
    patient: Patient,
    visit: Visit,
    number: int,
    minutes: float = 0.0,
    parts: tuple[str, ...] = ("mag", "phase"),
    kind: str = "milliradials",
    seed: int = 0,
    description: str = "",
    **header_more: object,
) -> list[Written]:
    """Write one series; Philips' phase grows with the field. ``kind`` is the phase's RescaleType."""
    signal = gre_signal(geometry.shape, echo_times_s, seed)
    header = new_series(
        patient, visit, number, description or GRE_NAMES["philips"], minutes=minutes, **GRE_HEADER, **header_more
    )
    place(header, geometry)
    stored_as(header, 12)
    imaging = header.private_block(0x2001, "Philips Imaging DD 001", create=True)
    imaging.add_new(0x14, "SL", len(echo_times_s))
    imaging.add_new(0x18, "SL", geometry.shape[2])
    series = header.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    own = folder / f"{number:03d}_{header.SeriesDescription}"
    files, first, true, steps = [], 1, {}, {}
    for part in parts:
        true[part], stored = stored_values(part, signal)
        slope, intercept, scale_slope, steps[part] = scaling(part)
        header.ImageType = WORDS[part]
        header.ComplexImageComponent = COMPONENT[part]
        header.RescaleSlope = f"{slope:.12g}"[:16]
        header.RescaleIntercept = f"{intercept:.12g}"[:16]
        header.RescaleType = kind if part == "phase" else "normalized"
        series.add_new(0x0E, "FL", scale_slope)
        series.add_new(0x0D, "FL", 0.0 if part != "phase" else 2047.5)
        for echo, time in enumerate(echo_times_s):
            header.EchoTime = round(time * 1e3, 6)
            header.EchoNumbers = echo + 1
            header.TemporalPositionIdentifier = 1
            header.NumberOfTemporalPositions = 1
            files += save_slices(header, stored[echo], geometry, own, first=first, tag="IM_")
            first += geometry.shape[2]
    return [
        Written(
            header.SeriesInstanceUID,
            number,
            "GRE",
            visit.vendor,
            own,
            tuple(files),
            geometry.affine,
            true,
            steps,
            echo_times_s,
            patient,
            visit,
        )
    ]
