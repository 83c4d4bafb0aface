"""What became of the lesions of a patient from session to session, as they are drawn on FLAIR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm.errors import CancelledError
from napari_msqsm.lesions.label_cloud import LabelCloud
from napari_msqsm.lesions.tracking import LesionState, states
from napari_msqsm.workspace.drawing.plane import Plane

if TYPE_CHECKING:
    import threading

    from napari_msqsm.workflow.tasks import OnProgress
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing


@dataclass(frozen=True)
class Between:
    """From one session to the next one on whose FLAIR lesions are drawn.

    Parameters
    ----------
    earlier, later
        BIDS names of the sessions.
    states
        Of every lesion that is drawn at one of them; *gone* means that nothing is drawn at the later one.
    """

    earlier: str
    later: str
    states: tuple[LesionState, ...]


@dataclass(frozen=True)
class Tracked:
    """Lesions of a patient over time.

    Parameters
    ----------
    steps
        In order of the sessions.
    left_out
        Sessions that could not be compared, and why.
    """

    steps: tuple[Between, ...]
    left_out: tuple[tuple[str, str], ...]

    def of(self, label: int) -> tuple[tuple[str, LesionState], ...]:
        """Tell of one lesion only: the later session of each step, and its state there."""
        return tuple((step.later, one) for step in self.steps for one in step.states if one.label == label)


def cloud_of(drawing: Drawing, maps: PatientMaps, session: str) -> LabelCloud | str:
    """Lesions on the FLAIR of a session, in the space of the baseline; or why there are none, in words."""
    plane, transform = Plane.flair(session), maps.transform(session, "FLAIR")
    if plane not in drawing.planes:
        return "it has no FLAIR"
    if transform is None:
        return "its FLAIR is not aligned to the baseline, or the alignment may not be used; coregister it"
    if not drawing.labels_on(plane):
        return "nothing is drawn on its FLAIR"
    return LabelCloud(drawing.labels(plane), drawing.grid(plane), transform)


def track(
    drawing: Drawing,
    maps: PatientMaps,
    *,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> Tracked:
    """Tell what became of every lesion from session to session.

    Raises
    ------
    CancelledError
        When that was asked for.
    """
    steps, left_out = [], []
    before: tuple[str, LabelCloud] | None = None
    for number, session in enumerate(maps.sessions):
        if cancel is not None and cancel.is_set():
            raise CancelledError("cancelled")
        if on_progress is not None:
            on_progress(f"Lesions of {session.label}", number / len(maps.sessions))
        found = cloud_of(drawing, maps, session.label)
        if isinstance(found, str):
            left_out.append((session.label, found))
            continue
        if before is not None:
            steps.append(Between(before[0], session.label, states(before[1], found)))
        before = session.label, found
    return Tracked(tuple(steps), tuple(left_out))
