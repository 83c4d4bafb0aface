"""FLAIR, T1w, T2w and T1w after gadolinium."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dicom_scanner.geometry import Geometry
from dicom_scanner.head import picture
from dicom_scanner.instances import new_series, place, save_slices, stored_as
from dicom_scanner.people import Patient, Visit, Written
from dicom_scanner.vendors import protocols

if TYPE_CHECKING:
    from pathlib import Path


def write_contrast(
    folder: Path,
    role: str,
    *,
    patient: Patient,
    visit: Visit,
    number: int,
    minutes: float = 0.0,
    geometry: Geometry | None = None,
    description: str = "",
    seed: int = 0,
    **header_more: object,
) -> Written:
    """Write one series of slices; ``header_more`` by keyword replaces what the protocol says."""
    protocol = protocols(visit.vendor)[role]
    if geometry is None:
        geometry = replace(Geometry(plane=protocol.plane), voxel_mm=protocol.voxel_mm)
    header = new_series(
        patient,
        visit,
        number,
        description or protocol.description,
        minutes=minutes,
        **{"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"], **protocol.header, **header_more},
    )
    place(header, geometry)
    stored_as(header, 12)
    true = picture(geometry.shape, seed + sum(map(ord, role)))
    step = 1 / 4000
    own = folder / f"{number:03d}_{role.replace('+', '_')}"
    files = save_slices(header, np.round(true / step), geometry, own)
    return Written(
        header.SeriesInstanceUID,
        number,
        role,
        visit.vendor,
        own,
        tuple(files),
        geometry.affine,
        {"mag": true[None]},
        {"mag": step},
        (header.EchoTime / 1e3,),
        patient,
        visit,
    )
