"""To which session of a study a foreign file belongs, from its name and the folders it lies in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_msqsm.model.study import Patient, Session, Study

_FOLDERS_UP = 4
_WORD = re.compile(r"(?<![A-Za-z0-9])(sub|ses)-([A-Za-z0-9]+)")
_T = TypeVar("_T")


def which_session(study: Study, path: Path, *, within: Path | None = None) -> tuple[Session | None, str]:
    """Find the session of a file.

    The nearest ``sub-`` and ``ses-`` in its name or folders decide; else a folder named like a patient (``01``, ``1``)
    and one inside it named like a session. A patient with one session needs none.

    Parameters
    ----------
    study
        With the sessions to choose from.
    path
        The foreign file.
    within
        Outermost folder whose name may tell; four folders up when not given.

    Returns
    -------
    tuple
        The session or None, and why.
    """
    folders = _folders(path, within)
    named: dict[str, str] = {}
    for part in [*reversed(folders), path.name.split(".", 1)[0]]:
        named |= dict(_WORD.findall(part))
    patient, depth, why = _patient(study, named.get("sub", ""), folders)
    if patient is None:
        return None, why
    if "ses" in named:
        session = _only([one for one in patient.sessions if same_name(one.session_id, named["ses"])])
        if session is None:
            return None, f"sub-{patient.patient_id} has no session ses-{named['ses']}"
        return session, f"{why}, session from its name"
    if len(patient.sessions) == 1:
        return patient.sessions[0], f"{why}, who has one session"
    inner = folders[:depth]
    session = _only([one for one in patient.sessions if any(same_name(one.session_id, part) for part in inner)])
    if session is None:
        return None, f"sub-{patient.patient_id} has {len(patient.sessions)} sessions and the path names none of them"
    return session, f"{why}, session from a folder"


def same_name(one: str, other: str) -> bool:
    """Whether two identifiers are one, up to leading zeros and case: ``1`` and ``01``, ``M12`` and ``m12``."""
    return _plain(one) == _plain(other)


def _folders(path: Path, within: Path | None) -> list[str]:
    """Names of the folders a file lies in, the nearest first."""
    up = list(path.absolute().parents)
    if within is not None and within.absolute() in up:
        return [folder.name for folder in up[: up.index(within.absolute()) + 1]]
    return [folder.name for folder in up[:_FOLDERS_UP]]


def _patient(study: Study, named: str, folders: list[str]) -> tuple[Patient | None, int, str]:
    """Return the patient, how many folders lie inside the patient's, and why."""
    if named:
        patient = _only([one for one in study.patients if same_name(one.patient_id, named)])
        why = "patient from its name" if patient else f"there is no patient sub-{named} in the study"
        return patient, len(folders), why
    for depth, part in reversed(list(enumerate(folders))):
        patient = _only([one for one in study.patients if same_name(one.patient_id, part)])
        if patient is not None:
            return patient, depth, "patient from a folder"
    if len(study.patients) == 1:
        return study.patients[0], len(folders), "the only patient"
    return None, 0, "neither its name nor its folders name a patient of the study"


def _only(found: Sequence[_T]) -> _T | None:
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    return re.sub(r"\d+", lambda match: match.group().lstrip("0") or "0", name.casefold())
