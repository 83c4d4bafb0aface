"""Lesions of a patient, as the reader knows them: plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Enhancement = Literal["nodular", "shell"]
Onset = Literal["new", "re-enhancing", "no earlier scan"]
MOST_LESIONS = 65_535
"""Labels of a patient are stored as 16-bit numbers."""


@dataclass(frozen=True)
class Lesion:
    """One lesion.

    Parameters
    ----------
    label
        Its number in every label image of the patient, from 1; never used again for another one.
    lesion_id
        Its name in tables, unique in the study, such as ``01-L003``.
    onset_session
        BIDS name of the session at which it first enhances, such as ``sub-01_ses-02``; empty where nobody said.
    onset
        Whether it is new there, enhances again, or has no earlier scan to tell; None where nobody said.
    onset_point_mm
        Where the reader marked it, RAS+ mm in the scanner space of the baseline's gradient echo.
    enhancement
        How gadolinium enhances it; None where nobody said.
    central_vein
        Whether it has a central vein; None where nobody said.
    carried
        Digest of its region as it was carried from FLAIR to the baseline grid; empty where it was drawn there. The
        region was edited there when its digest is another one.
    excluded
        Why the reader leaves it out of the analysis; empty where it is in.
    note
        What the reader wrote.
    """

    label: int
    lesion_id: str
    onset_session: str = ""
    onset: Onset | None = None
    onset_point_mm: tuple[float, float, float] | None = None
    enhancement: Enhancement | None = None
    central_vein: bool | None = None
    carried: str = ""
    excluded: str = ""
    note: str = ""


@dataclass(frozen=True)
class FollowUp:
    """What is known of a lesion's region at one session after its onset.

    Parameters
    ----------
    label
        Of the lesion.
    session
        BIDS name of the session.
    propagated
        Digest of the region as it was propagated there; empty where none was. The region was edited there when its
        digest is another one.
    reviewed_by, reviewed_at
        Who looked at it and when (ISO 8601); empty: *propagated, not reviewed*.
    shift_mm
        By how much the region is moved before the session's transform takes it there (RAS+ mm at the baseline), where
        a local registration about the lesion asked for it; None where nobody accepted one.
    """

    label: int
    session: str
    propagated: str = ""
    reviewed_by: str = ""
    reviewed_at: str = ""
    shift_mm: tuple[float, float, float] | None = None

    @property
    def reviewed(self) -> bool:
        """Whether somebody looked at it."""
        return bool(self.reviewed_by)


def lesion_id_of(patient_id: str, label: int) -> str:
    """Name of a new lesion, such as ``01-L003``."""
    return f"{patient_id}-L{label:03d}"
