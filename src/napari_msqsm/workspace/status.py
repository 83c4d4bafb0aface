"""What is there, missing, done or outdated in a session, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from napari_msqsm.model.study import CONTRASTS
from napari_msqsm.workspace.freshness import read_record, reasons_outdated

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_msqsm.model.study import Session

_GIVEN_MASKS = ("given_brain_mask", "given_csf_mask")


class SessionState(StrEnum):
    """State of a session's susceptibility map."""

    INCOMPLETE = "incomplete"
    READY = "ready"
    DONE = "done"
    OUTDATED = "outdated"


@dataclass(frozen=True)
class SessionStatus:
    """State of one session.

    Parameters
    ----------
    state
        `SessionState`.
    there
        What was found, such as ``GRE, 11 echoes`` or ``FLAIR``.
    missing
        What a reconstruction or a later step would need and does not find, in words.
    reasons
        Why the result is outdated.
    warnings
        Warnings recorded with the result.
    next_step
        One sentence: what to do next.
    quality
        Quality numbers recorded with the result, None where one is not known; empty without a result of our own.
    """

    state: SessionState
    there: tuple[str, ...]
    missing: tuple[str, ...]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    next_step: str
    quality: Mapping[str, float | None] = field(default_factory=dict)


def status_of(session: Session, roots: Mapping[str, Path], pipeline_version: str) -> SessionStatus:
    """Look at a session and its result on disk.

    Parameters
    ----------
    session
        The session.
    roots
        Folder of each dataset name that its provenance may use.
    pipeline_version
        Version of the algorithm now.
    """
    there = _there(session)
    result = session.derivatives.get("Chimap")
    if result is None:
        return _without_result(session, there)
    record = read_record(sidecar_of(result))
    given = [
        session.derivatives[name] for name in ("given_brain_mask", "given_csf_mask") if name in session.derivatives
    ]
    inputs = [] if record is not None and record.get("Adopted") else [*(echo.path for echo in session.gre), *given]
    reasons = ("it has no provenance",) if record is None else reasons_outdated(record, inputs, roots, pipeline_version)
    warnings = tuple(str(sentence) for sentence in (record or {}).get("Warnings", ()))
    quality = _numbers((record or {}).get("Quality"))
    if reasons and session.can_reconstruct:
        step = f"Reconstruct again: {reasons[0]}."
        return SessionStatus(SessionState.OUTDATED, there, session.missing, reasons, warnings, step, quality)
    step = "Look at the susceptibility map."
    return SessionStatus(SessionState.DONE, there, session.missing, reasons, warnings, step, quality)


def sidecar_of(image: Path) -> Path:
    """JSON file beside an image; ``provenance.json`` where results lie in a folder of their own."""
    beside = image.with_name(image.name.removesuffix(".gz").removesuffix(".nii") + ".json")
    return beside if beside.exists() else image.with_name("provenance.json")


def _numbers(recorded: object) -> dict[str, float | None]:
    """Quality numbers of a record; what is not a number is left out."""
    if not isinstance(recorded, dict):
        return {}
    return {str(name): value for name, value in recorded.items() if value is None or isinstance(value, int | float)}


def _without_result(session: Session, there: tuple[str, ...]) -> SessionStatus:
    if session.can_reconstruct:
        return SessionStatus(SessionState.READY, there, session.missing, (), (), "Reconstruct this session.")
    what = session.missing[0] if session.missing else "there is no multi-echo magnitude and phase"
    step = f"Cannot reconstruct: {what}. Add it, or take an existing susceptibility map."
    return SessionStatus(SessionState.INCOMPLETE, there, session.missing, (), (), step)


def _there(session: Session) -> tuple[str, ...]:
    found = []
    if session.gre:
        parts = sorted({echo.part for echo in session.gre})
        echoes = {echo.echo for echo in session.gre}
        stack = None in echoes
        found.append(f"GRE {'+'.join(parts)}, {'4-D stack' if stack else _counted(len(echoes), 'echo', 'echoes')}")
    found += [name for name in CONTRASTS if name in session.contrasts]
    return tuple(found)


def _counted(n: int, one: str, more: str) -> str:
    return f"{n} {one if n == 1 else more}"
