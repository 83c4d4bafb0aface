"""Siemens V line: magnitude and phase are two series; instance numbers start again at every echo."""

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


def write_siemens_gre(
    folder: Path,
    geometry: Geometry,
    echo_times_s: tuple[float, ...],
    *,
    patient: Patient,
    visit: Visit,
    number: int,
    minutes: float = 0.0,
    rescaled: bool = False,
    parts: tuple[str, ...] = ("mag", "phase"),
    seed: int = 0,
    description: str = "",
    **header_more: object,
) -> list[Written]:
    """Write the magnitude series and, as the next number, the phase series.

    Phase is stored as 0…4095 for −π…π; with ``rescaled`` the header maps it to −4096…4094.
    """
    signal = gre_signal(geometry.shape, echo_times_s, seed)
    out = []
    for n, part in enumerate(parts):
        header = new_series(
            patient,
            visit,
            number + n,
            description or GRE_NAMES["siemens"],
            minutes=minutes,
            **GRE_HEADER,
            SequenceName=f"*fl3d{len(echo_times_s)}",
            ImageType=["ORIGINAL", "PRIMARY", "M" if part == "mag" else "P", "ND"],
            **header_more,
        )
        place(header, geometry)
        stored_as(header, 12)
        if part == "mag":
            true, step = np.abs(signal), 1 / 4000
            stored = np.round(true / step)
        else:
            true, step = np.angle(signal), 2 * np.pi / 4096
            stored = np.clip(np.round((true + np.pi) / step), 0, 4095)
            if rescaled:
                header.RescaleIntercept, header.RescaleSlope, header.RescaleType = -4096, 2, "US"
        own = folder / f"{number + n:03d}_{header.SeriesDescription}"
        files = []
        for echo, time in enumerate(echo_times_s):
            header.EchoTime = round(time * 1e3, 6)
            header.EchoNumbers = echo + 1
            files += save_slices(header, stored[echo], geometry, own, tag=f"e{echo + 1}_")
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
