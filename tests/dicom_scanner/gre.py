"""The multi-echo gradient-echo series of every vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicom_scanner.canon_uih import write_two_series
from dicom_scanner.enhanced import write_enhanced_gre
from dicom_scanner.ge import write_ge_gre
from dicom_scanner.philips import write_philips_gre
from dicom_scanner.siemens import write_siemens_gre

if TYPE_CHECKING:
    from pathlib import Path

    from dicom_scanner.geometry import Geometry
    from dicom_scanner.people import Visit, Written

_CLASSIC = {
    "siemens": write_siemens_gre,
    "ge": write_ge_gre,
    "philips": write_philips_gre,
    "canon": write_two_series,
    "uih": write_two_series,
    "siemens-xa": write_enhanced_gre,
}


def write_gre(
    folder: Path,
    geometry: Geometry,
    echo_times_s: tuple[float, ...],
    *,
    visit: Visit,
    enhanced: bool = False,
    **options: Any,
) -> list[Written]:
    """Write it as the visit's scanner does; ``options`` are those of the vendor's writer.

    ``enhanced`` puts all into one file (Philips, Canon; always with ``siemens-xa``).
    """
    write = write_enhanced_gre if enhanced else _CLASSIC[visit.vendor]
    return write(folder, geometry, echo_times_s, visit=visit, **options)
