"""Whole studies: patients, visits, all contrasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicom_scanner.contrasts import write_contrast
from dicom_scanner.geometry import Geometry
from dicom_scanner.gre import write_gre
from dicom_scanner.people import Patient, Visit, Written
from dicom_scanner.vendors import ROLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ECHO_TIMES_S = (0.005, 0.010, 0.015)
TWO_VISITS = (Visit("20180305"), Visit("20190611", "133000"))


def write_study(
    folder: Path,
    visits: Mapping[Patient, Sequence[Visit]] | Sequence[Visit] = TWO_VISITS,
    *,
    roles: Sequence[str] = ROLES,
    geometry: Geometry | None = None,
    echo_times_s: tuple[float, ...] = ECHO_TIMES_S,
    minutes_apart: float = 5.0,
) -> list[Written]:
    """Write every visit of every patient; series come in the order of ``roles``, some minutes apart.

    Parameters
    ----------
    folder
        One folder per patient and visit is made in it, one per series in that.
    visits
        Per patient, or those of one patient. The vendor is the visit's.
    roles
        Of each visit, in the order in which they are acquired: GRE, FLAIR, T1w, T2w, T1w+Gd; a role may come twice.
    geometry
        Of the gradient-echo series.
    """
    by_patient = visits if not isinstance(visits, tuple | list) else {Patient(): visits}
    out: list[Written] = []
    for patient, own_visits in by_patient.items():
        for visit in own_visits:
            own = folder / patient.patient_id / visit.date
            number = 1
            for n, role in enumerate(roles):
                common = {"patient": patient, "visit": visit, "number": number, "minutes": n * minutes_apart}
                if role == "GRE":
                    written = write_gre(own, geometry or Geometry(oblique_deg=(12, -5, 3)), echo_times_s, **common)
                else:
                    written = [write_contrast(own, role, **common)]
                out += written
                number += len(written)
    return out
