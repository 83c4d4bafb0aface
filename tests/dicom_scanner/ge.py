"""GE: one series holds magnitude, phase, real and imaginary images; a private element says which is which."""

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

KINDS = {"mag": 0, "phase": 1, "real": 2, "imag": 3}
"""Private element (0043,102F)."""


def write_ge_gre(
    folder: Path,
    geometry: Geometry,
    echo_times_s: tuple[float, ...],
    *,
    patient: Patient,
    visit: Visit,
    number: int,
    minutes: float = 0.0,
    parts: tuple[str, ...] = ("mag", "real", "imag"),
    alternate: bool = True,
    kind_in_header: bool = True,
    seed: int = 0,
    description: str = "",
    **header_more: object,
) -> list[Written]:
    """Write one series.

    Parameters
    ----------
    folder, geometry, echo_times_s, patient, visit, number, minutes, seed, description
        As for every vendor; ``header_more`` by keyword.
    parts
        Phase is stored in milliradians, −3142…3142, and falls with the field as GE's does.
    alternate
        Real and imaginary images of every second slice are negated; the result's ``values`` are the true ones.
    kind_in_header
        Without it only ImageType tells the parts apart.
    """
    signal = np.conj(gre_signal(geometry.shape, echo_times_s, seed))
    stored_signal = signal * np.where(np.arange(geometry.shape[2]) % 2, -1, 1) if alternate else signal
    header = new_series(
        patient, visit, number, description or GRE_NAMES["ge"], minutes=minutes, **GRE_HEADER, **header_more
    )
    place(header, geometry)
    n_images = geometry.shape[2] * len(echo_times_s) * len(parts)
    header.ImagesInAcquisition = n_images
    acquisition = header.private_block(0x0019, "GEMS_ACQU_01", create=True)
    acquisition.add_new(0x7E, "SS", len(echo_times_s))
    relation = header.private_block(0x0021, "GEMS_RELA_01", create=True)
    relation.add_new(0x4F, "SS", geometry.shape[2])
    parameters = header.private_block(0x0043, "GEMS_PARM_01", create=True)
    parameters.add_new(0x2C, "SS", 700)
    own = folder / f"{number:03d}_{header.SeriesDescription.replace(' ', '_')}"
    true = {
        "mag": np.abs(signal),
        "phase": np.angle(signal),
        "real": signal.real,
        "imag": signal.imag,
    }
    written = {**true, "real": stored_signal.real, "imag": stored_signal.imag}
    step = {"mag": 1 / 4000, "phase": 1e-3, "real": 1 / 4000, "imag": 1 / 4000}
    files, first = [], 1
    for echo, time in enumerate(echo_times_s):
        header.EchoTime = round(time * 1e3, 6)
        header.EchoNumbers = echo + 1
        for part in parts:
            header.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
            if kind_in_header:
                parameters.add_new(0x2F, "SS", KINDS[part])
            else:
                header.ImageType = ["ORIGINAL", "PRIMARY", {"mag": "M", "phase": "P", "real": "R", "imag": "I"}[part]]
            stored_as(header, 16, signed=True)
            stored = np.round(written[part][echo] / step[part])
            files += save_slices(header, stored, geometry, own, first=first, tag="i")
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
            {part: true[part] for part in parts},
            {part: step[part] for part in parts},
            echo_times_s,
            patient,
            visit,
        )
    ]
