"""Canon and United Imaging, one file per slice: magnitude and phase are two series."""

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

_WORDS = {
    "canon": {"mag": ["ORIGINAL", "PRIMARY", "M"], "phase": ["ORIGINAL", "PRIMARY", "PHASE"]},
    "uih": {"mag": ["ORIGINAL", "PRIMARY", "M", "NONE"], "phase": ["ORIGINAL", "PRIMARY", "P", "NONE"]},
}


def write_two_series(
    folder: Path,
    geometry: Geometry,
    echo_times_s: tuple[float, ...],
    *,
    patient: Patient,
    visit: Visit,
    number: int,
    minutes: float = 0.0,
    parts: tuple[str, ...] = ("mag", "phase"),
    rescaled: bool = True,
    seed: int = 0,
    description: str = "",
    **header_more: object,
) -> list[Written]:
    """Write the magnitude series and, as the next number, the phase series.

    United Imaging's phase is stored as −2048…2047 and falls with the field. Nothing is published of Canon's: here the
    header scales it to milliradians (``rescaled``), or says nothing.
    """
    signal = gre_signal(geometry.shape, echo_times_s, seed)
    if visit.vendor == "uih":
        signal = np.conj(signal)
    out = []
    for n, part in enumerate(parts):
        header = new_series(
            patient,
            visit,
            number + n,
            description or GRE_NAMES[visit.vendor] + ("" if part == "mag" else "_phase"),
            minutes=minutes,
            **GRE_HEADER,
            ImageType=_WORDS[visit.vendor][part],
            **header_more,
        )
        place(header, geometry)
        stored_as(header, 12 if part == "mag" else 16, signed=part == "phase")
        if part == "mag":
            true, step = np.abs(signal), 1 / 4000
        else:
            true, step = np.angle(signal), 2 * np.pi / 4096
        stored = np.round(true / step)
        if part == "phase":
            stored = np.clip(stored, -2048, 2047)
            if visit.vendor == "canon" and rescaled:
                header.RescaleSlope = f"{step * 1e3:.12g}"[:16]
                header.RescaleIntercept = 0
                header.RescaleType = "mrad"
        own = folder / f"{number + n:03d}_{header.SeriesDescription.replace(' ', '_')}"
        files, first = [], 1
        for echo, time in enumerate(echo_times_s):
            header.EchoTime = round(time * 1e3, 6)
            header.EchoNumbers = echo + 1
            files += save_slices(header, stored[echo], geometry, own, first=first, tag="s")
            first += geometry.shape[2]
        out.append(
            Written(
                header.SeriesInstanceUID,
                number + n,
                "GRE",
                visit.vendor,
                own,
                tuple(files),
                geometry.affine,
                {part: true},
                {part: step},
                echo_times_s,
                patient,
                visit,
            )
        )
    return out
