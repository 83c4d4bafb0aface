"""Which label image: what it holds, and of which session."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class PlaneKind(StrEnum):
    """What a label image of a patient holds."""

    FLAIR = "flair"
    """Lesions on the raw FLAIR of a session, on its own grid: volumes are measured there."""
    ONSET = "onset"
    """Edited onset regions on the grid of the baseline's gradient echo: susceptibility is measured in them."""
    VEIN = "vein"
    """What of the onset regions is central vein, by the label of its lesion, on the baseline grid."""
    NAWM = "nawm"
    """Reference regions that a reader painted, by the label of their lesion, on the baseline grid."""
    FOLLOW_UP = "followup"
    """Regions of a session after onset as they were propagated or edited there, on the baseline grid."""


class Plane(NamedTuple):
    """One label image of a patient: (X, Y, Z) uint16, the label of the lesion in every voxel, 0 for none.

    Parameters
    ----------
    kind
        What it holds.
    session
        BIDS name of its session; empty for the planes that a patient has one of.
    """

    kind: PlaneKind
    session: str = ""

    @classmethod
    def flair(cls, session: str) -> Plane:
        """Plane on the raw FLAIR of a session."""
        return cls(PlaneKind.FLAIR, session)

    @classmethod
    def follow_up(cls, session: str) -> Plane:
        """Regions of a session after onset."""
        return cls(PlaneKind.FOLLOW_UP, session)


ONSET = Plane(PlaneKind.ONSET)
VEIN = Plane(PlaneKind.VEIN)
NAWM = Plane(PlaneKind.NAWM)
