"""Sessions × contrasts: what there is of every visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_msqsm.io.bids import derivative_path
from napari_msqsm.io.sidecar import stem_of
from napari_msqsm.model.study import CONTRASTS
from napari_msqsm.workflow.coregistration.pairs import transform_path
from napari_msqsm.workspace.freshness import read_record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_msqsm.model.study import Patient, Session, Study

GRE = "GRE"
IMAGES = (GRE, *CONTRASTS)
_YEAR_DAYS = 365.25


@dataclass(frozen=True)
class SessionContents:
    """One visit.

    Parameters
    ----------
    session
        The session itself.
    years
        Since the patient's first dated session; None where there is no date.
    images
        What there is of each of `IMAGES`, in words; a missing one is empty.
    qsm
        ``made``, ``taken over``, or empty without a map.
    masks
        Masks and lesions that were taken over or drawn.
    aligned
        Images whose transform to the baseline lies on disk → ``ok``, ``look``, ``failed``, ``accepted`` by a person, or
        ``unknown``.
    """

    session: Session
    years: float | None
    images: Mapping[str, str]
    qsm: str
    masks: tuple[str, ...]
    aligned: Mapping[str, str]

    @property
    def can_have_qsm(self) -> bool:
        """Whether there is a map, or one can be reconstructed."""
        return bool(self.qsm) or self.session.can_reconstruct

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        session = self.session
        return {
            "session": session.label,
            "date": session.date.isoformat() if session.date else None,
            "years_since_first": None if self.years is None else round(self.years, 3),
            "images": {name: self.images[name] or None for name in IMAGES},
            "post_gd": session.post_gd,
            "qsm": self.qsm or None,
            "masks": list(self.masks),
            "aligned": dict(self.aligned),
            "missing": list(session.missing),
        }


def contents_of(study: Study) -> tuple[SessionContents, ...]:
    """Look at every session; no image is read."""
    return tuple(_of(study, patient, session) for patient in study.patients for session in patient.sessions)


def _of(study: Study, patient: Patient, session: Session) -> SessionContents:
    dates = [one.date.replace(tzinfo=None) for one in patient.sessions if one.date is not None]
    years = None
    if session.date is not None:
        years = (session.date.replace(tzinfo=None) - min(dates)).total_seconds() / 86400 / _YEAR_DAYS
    return SessionContents(
        session=session,
        years=years,
        images={GRE: _echoes(session)} | {name: "yes" if name in session.contrasts else "" for name in CONTRASTS},
        qsm=_map(session),
        masks=tuple(_masks(study, session)),
        aligned={
            name: _alignment(path)
            for name in ("MEGRE", *CONTRASTS)
            if (path := transform_path(study, session, name)).is_file()
        },
    )


def _echoes(session: Session) -> str:
    """Count the echoes, and say which part of them is missing."""
    if not session.gre:
        return ""
    parts = {echo.part for echo in session.gre}
    numbers = {echo.echo for echo in session.gre}
    count = "4-D stack" if numbers == {None} else f"{len(numbers)} echoes"
    if session.unusable:
        return f"{count}, unusable"
    for one, other, words in (("mag", "phase", "no phase"), ("real", "imag", "no imaginary part")):
        if one in parts and other not in parts:
            return f"{count}, {words}"
        if other in parts and one not in parts:
            return f"{count}, no {'magnitude' if one == 'mag' else 'real part'}"
    return count


def _map(session: Session) -> str:
    path = session.derivatives.get("Chimap")
    if path is None:
        return ""
    record = read_record(path.with_name(stem_of(path) + ".json"))
    return "taken over" if record is not None and record.get("Adopted") else "made"


def _alignment(path: Path) -> str:
    record = read_record(path.with_suffix(".json")) or {}
    if (record.get("Checked") or {}).get("By"):
        return "accepted"
    return str((record.get("Verdict") or {}).get("Level") or "unknown")


def _masks(study: Study, session: Session) -> list[str]:
    found = [
        words
        for name, words in (("given_brain_mask", "brain mask"), ("given_csf_mask", "CSF mask"))
        if name in session.derivatives
    ]
    lesions = {"on FLAIR": "space-FLAIR_desc-lesions_dseg", "on GRE": "desc-lesions_dseg"}
    found += [f"lesions {where}" for where, suffix in lesions.items() if _there(study, session, suffix)]
    return found


def _there(study: Study, session: Session, suffix: str) -> Path | None:
    path = derivative_path(study, session, suffix)
    return path if path.is_file() else None
