"""Study → patient → session → image: what there is on disk, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

Part = Literal["mag", "phase", "real", "imag"]
Contrast = Literal["FLAIR", "T1w", "ce-gadolinium_T1w", "T2w"]
CONTRASTS: tuple[Contrast, ...] = ("FLAIR", "T1w", "ce-gadolinium_T1w", "T2w")


@dataclass(frozen=True)
class EchoFile:
    """One part of one echo of the gradient-echo series, or a 4-D stack of all echoes (``echo`` is None)."""

    path: Path
    part: Part
    echo: int | None
    sidecar: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)


@dataclass(frozen=True)
class Session:
    """One visit of one patient.

    ``missing`` says in plain words what a reconstruction or a later step would need and does not find; ``unusable``,
    what is wrong with files that are there, so that they cannot be reconstructed; ``derivatives`` are our own results
    that exist already, by suffix (such as ``Chimap``). ``post_gd``: whether the gradient echo was acquired after
    gadolinium was given in this session; None where that is not recorded.
    """

    patient_id: str
    session_id: str
    date: datetime | None
    gre: tuple[EchoFile, ...]
    contrasts: Mapping[Contrast, Path] = field(default_factory=dict, hash=False)
    derivatives: Mapping[str, Path] = field(default_factory=dict, hash=False)
    covariates: Mapping[str, Any] = field(default_factory=dict, hash=False)
    missing: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()
    post_gd: bool | None = None

    @property
    def label(self) -> str:
        """BIDS name of the session: ``sub-01_ses-02``, or ``sub-01`` where the study has no sessions."""
        return f"sub-{self.patient_id}_ses-{self.session_id}" if self.session_id else f"sub-{self.patient_id}"

    def days_since(self, other: Session) -> int | None:
        """Days from the day of another session to the day of this one, whatever the times of day; None without dates.

        Parameters
        ----------
        other
            Such as the session at which a lesion first enhanced.
        """
        if self.date is None or other.date is None:
            return None
        return (self.date.date() - other.date.date()).days

    @property
    def can_reconstruct(self) -> bool:
        """Whether there are both magnitude and phase (or real and imaginary parts), and nothing is wrong with them."""
        parts = {echo.part for echo in self.gre}
        return not self.unusable and ({"mag", "phase"} <= parts or {"real", "imag"} <= parts)


@dataclass(frozen=True)
class Patient:
    """One patient, sessions in order of date (of name where dates are missing)."""

    patient_id: str
    sessions: tuple[Session, ...]
    covariates: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Study:
    """A BIDS dataset."""

    root: Path
    patients: tuple[Patient, ...]

    @property
    def derivatives_root(self) -> Path:
        """Folder that everything we write goes below."""
        return self.root / "derivatives" / "msqsm"

    @property
    def sessions(self) -> tuple[Session, ...]:
        """All sessions of all patients."""
        return tuple(session for patient in self.patients for session in patient.sessions)

    def session(self, label: str) -> Session:
        """Session with a BIDS name such as ``sub-01_ses-02``; KeyError when there is none."""
        for session in self.sessions:
            if session.label == label:
                return session
        raise KeyError(label)
