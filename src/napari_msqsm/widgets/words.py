"""Words of the panels, without Qt."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from napari_msqsm.widgets.quality_words import quality_warnings
from napari_msqsm.workflow.tasks import TaskState
from napari_msqsm.workspace.status import SessionState

if TYPE_CHECKING:
    from napari_msqsm.model.study import Session
    from napari_msqsm.workflow.tasks import Task
    from napari_msqsm.workspace.status import SessionStatus

_CONTRASTS = {"T1w": "T1", "ce-gadolinium_T1w": "T1+Gd", "T2w": "T2"}
_STATES = {
    SessionState.INCOMPLETE: "cannot",
    SessionState.READY: "to do",
    SessionState.DONE: "✓ done",
    SessionState.OUTDATED: "outdated",
}


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
    lines += [f"⚠ {sentence}" for sentence in (*status.warnings, *quality_warnings(status.quality))]
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
