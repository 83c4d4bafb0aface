"""The multi-echo gradient-echo series of every vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicom_scanner.siemens import write_siemens_gre

if TYPE_CHECKING:
    from pathlib import Path

    from dicom_scanner.geometry import Geometry
    from dicom_scanner.people import Visit, Written

_WRITERS = {
    "siemens": write_siemens_gre,
}


def write_gre(
    folder: Path, geometry: Geometry, echo_times_s: tuple[float, ...], *, visit: Visit, **options: Any
) -> list[Written]:
    """Write it as the visit's scanner does; ``options`` are those of the vendor's writer."""
    return _WRITERS[visit.vendor](folder, geometry, echo_times_s, visit=visit, **options)
