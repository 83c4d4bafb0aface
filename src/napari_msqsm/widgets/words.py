"""Words of the panels, without Qt."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import ParameterError
from napari_msqsm.workflow.tasks import TaskState
from napari_msqsm.workspace.status import SessionState

if TYPE_CHECKING:
    from napari_msqsm.model.study import Session
    from napari_msqsm.workflow.tasks import Task
    from napari_msqsm.workspace.status import SessionStatus

_LABELS = {
    "lambda_data": "λ (data)",
    "lambda_csf": "λ CSF",
    "csf_mask": "CSF mask",
    "r2star": "R2*",
    "csf_mask.max_r2star_hz": "CSF: largest R2*",
    "max_r2star_hz": "Largest R2*",
    "smv_radii_mm": "SMV radii",
    "region": "χ = 0 in",
    "brain_mask.threshold": "Brain mask threshold",
    "brain_mask.erosion_mm": "Brain mask erosion",
    "inversion.threshold": "TKD threshold",
    "merit": "MERIT",
    "inversion": "Inversion",
    "background": "Background field",
}
_UNITS = ("_mm3", "_mm", "_hz", "_s", "_rad", "_y", "_ppm", "_ppb")
_CONTRASTS = {"T1w": "T1", "ce-gadolinium_T1w": "T1+Gd", "T2w": "T2"}
_STATES = {
    SessionState.INCOMPLETE: "cannot",
    SessionState.READY: "to do",
    SessionState.DONE: "✓ done",
    SessionState.OUTDATED: "outdated",
}


def label_of(name: str) -> str:
    """Label of a section or a dotted setting: its name in words, without the unit."""
    if name in _LABELS:
        return _LABELS[name]
    name = name.rpartition(".")[2]
    if name in _LABELS:
        return _LABELS[name]
    for unit in _UNITS:
        name = name.removesuffix(unit)
    words = name.replace("_", " ").replace("cg", "CG").replace("csf", "CSF").replace("smv", "SMV")
    return words[:1].upper() + words[1:]


def as_text(value: Any) -> str:
    """Text of a value in a form."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(as_text(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def from_text(text: str, before: str) -> Any:
    """Value of a form's text; validation against the setting follows.

    Parameters
    ----------
    text
        What the field holds.
    before
        The text of the value that it held at first; tells a list and a yes/no from a number.

    Raises
    ------
    ParameterError
        When a list holds something else than numbers.
    """
    if before in {"yes", "no"}:
        return text == "yes"
    if "," in before or "," in text or text == "":
        try:
            return tuple(float(part) for part in text.replace(";", ",").split(",") if part.strip())
        except ValueError:
            raise ParameterError(f"{text!r} is not a list of numbers; separate them by commas") from None
    return text


def state_words(status: SessionStatus) -> str:
    """State of a session's map in the tree."""
    return _STATES[status.state]


def images_words(status: SessionStatus) -> str:
    """Images of a session in the tree: contrasts only."""
    names = (name.partition(",")[0].removesuffix(" mag+phase") for name in status.there)
    return ", ".join(_CONTRASTS.get(name, name) for name in names) or "none"


def session_details(session: Session, status: SessionStatus) -> str:
    """All that is known of a session, as HTML."""
    lines = ["There: " + (", ".join(_CONTRASTS.get(name, name) for name in status.there) or "nothing")]
    if status.missing:
        lines.append("Missing: " + "; ".join(status.missing))
    if status.reasons:
        lines.append("Outdated: " + "; ".join(status.reasons))
    lines += [f"⚠ {sentence}" for sentence in status.warnings]
    head = f"<b>{escape(session.label)}</b>" + (f" · {session.date:%d %b %Y}" if session.date else "")
    return "<br>".join([head, *map(escape, lines)])


def time_words(seconds: float) -> str:
    """``0:07`` or ``1:02:07``."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def task_words(task: Task) -> str:
    """Say what a task is doing, in one line."""
    if task.state is TaskState.QUEUED:
        return f"{task.title}: waiting"
    if task.state is TaskState.FAILED:
        return f"{task.title}: {task.error}"
    if task.state is TaskState.CANCELLED:
        return f"{task.title}: cancelled"
    if task.state is TaskState.DONE:
        return f"{task.title}: done in {time_words(task.seconds)}"
    left = "" if task.seconds_left is None else f", {time_words(task.seconds_left)} left"
    stopping = " (stopping)" if task.cancel_requested else ""
    return f"{task.title}: {task.message}{left}{stopping}"
