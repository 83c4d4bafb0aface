"""What the viewer shows while lesions are worked on."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """One way to look at a patient."""

    ONSET = "onset"
    """T1 before and after gadolinium with their subtraction, side by side: where does a lesion first enhance?"""
    FLAIR = "FLAIR"
    """Raw FLAIR of one session, on its own grid, to draw on."""
    QSM = "QSM"
    """Susceptibility of one session on the baseline grid, FLAIR and magnitude of that session below it, to draw on."""
    ALL = "time points"
    """Susceptibility of all sessions on the baseline grid, side by side."""
