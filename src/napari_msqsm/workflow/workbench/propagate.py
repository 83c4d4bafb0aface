"""From the onset region to all later time points: what would be written, and writing it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from napari_msqsm.errors import ParameterError
from napari_msqsm.workflow.workbench.write_region import region_written
from napari_msqsm.workspace.drawing.edit import Edit, FollowUpChange
from napari_msqsm.workspace.drawing.plane import ONSET, Plane

if TYPE_CHECKING:
    from collections.abc import Collection

    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workflow.workbench.write_region import Written
    from napari_msqsm.workspace.drawing.drawing import Drawing
    from napari_msqsm.workspace.drawing.edit import VoxelChange

Action = Literal["write", "renew", "override", "up to date", "not possible"]


@dataclass(frozen=True)
class PropagationStep:
    """What propagating does at one session.

    Parameters
    ----------
    session
        BIDS name of a session after onset.
    action
        ``write``: nothing was there. ``renew``: the region there was propagated from another onset region.
        ``override``: somebody edited the region there; it is kept unless told otherwise. ``up to date``.
        ``not possible``: nothing can be measured there.
    reason
        One sentence; empty where there is nothing to say.
    reviewed_by
        Who reviewed the region that is there now; a region that is written is to be reviewed again.
    """

    session: str
    action: Action
    reason: str = ""
    reviewed_by: str = ""


@dataclass(frozen=True)
class PropagationPlan:
    """What propagating a lesion would do, session by session.

    Parameters
    ----------
    label, lesion_id
        Which lesion.
    onset_session
        From where.
    digest
        Of the onset region that the plan was made for.
    steps
        Sessions after onset, in order.
    refused
        Why nothing can be propagated at all; empty where it can.
    """

    label: int
    lesion_id: str
    onset_session: str
    digest: str
    steps: tuple[PropagationStep, ...] = ()
    refused: str = ""

    def sessions(self, *actions: Action) -> tuple[str, ...]:
        """Sessions at which one of these is done."""
        return tuple(step.session for step in self.steps if step.action in actions)

    @property
    def asks(self) -> bool:
        """Whether there are regions that would be replaced, or edits that would stand apart: ask first."""
        return bool(self.sessions("renew", "override"))


def propagation_plan(drawing: Drawing, maps: PatientMaps, label: int) -> PropagationPlan:
    """Look at what propagating the onset region of a lesion would do; nothing is changed.

    Raises
    ------
    ParameterError
        When there is no such lesion.
    """
    lesion = drawing.lesion(label)
    if lesion is None:
        raise ParameterError(f"there is no lesion {label}; mark its onset first")
    digest = drawing.digest(ONSET, label)
    plan = PropagationPlan(label, lesion.lesion_id, lesion.onset_session, digest)
    if not lesion.onset_session:
        return replace(plan, refused="nobody said at which session it first enhances; mark its onset")
    if lesion.onset_session not in {each.label for each in maps.sessions}:
        words = f"its onset session {lesion.onset_session} is none of the patient's, or repeats another one"
        return replace(plan, refused=f"{words}; mark its onset")
    if not digest:
        return replace(plan, refused="it has no onset region; carry it over from FLAIR, or draw it on QSM")
    later = maps.after(lesion.onset_session)
    return replace(plan, steps=tuple(_step(drawing, maps, label, each.label) for each in later))


def propagate(drawing: Drawing, plan: PropagationPlan, *, replace_overrides: Collection[str] = ()) -> Edit:
    """Write the onset region of a lesion to the sessions of a plan.

    Parameters
    ----------
    drawing, plan
        The plan has to be one of the drawing as it is.
    replace_overrides
        Sessions at which an edited region is replaced too.

    Returns
    -------
    Edit
        Not applied; empty where nothing is to be done. Every region that it writes is *propagated, not reviewed*.

    Raises
    ------
    ParameterError
        When nothing can be propagated, the onset region has changed since the plan was made, or there is no override
        at a session that was named.
    """
    if plan.refused:
        raise ParameterError(f"{plan.lesion_id} cannot be propagated: {plan.refused}")
    if drawing.digest(ONSET, plan.label) != plan.digest:
        raise ParameterError(
            f"the onset region of {plan.lesion_id} has changed since it was looked at; propagate again"
        )
    strange = set(replace_overrides) - set(plan.sessions("override"))
    if strange:
        raise ParameterError(f"{plan.lesion_id} was not edited at {', '.join(sorted(strange))}; name other sessions")
    voxels: list[VoxelChange] = []
    states = []
    for session in plan.sessions("write", "renew", "override"):
        if session in plan.sessions("override") and session not in replace_overrides:
            continue
        written = _written(drawing, plan.label, session)
        if written.change is not None:
            voxels.append(written.change)
        before = drawing.follow_up(plan.label, session)
        after = replace(before, propagated=written.digest, reviewed_by="", reviewed_at="")
        states.append(FollowUpChange(before, after))
    return Edit(f"propagate {plan.lesion_id}", tuple(voxels), (), tuple(states))


def review(drawing: Drawing, label: int, session: str, *, reviewed: bool = True) -> Edit:
    """Note that the reader looked at a lesion's region at a session, or take that back; an edit, not applied.

    Raises
    ------
    ParameterError
        When nobody is known to be reading, or there is no such lesion.
    """
    lesion = drawing.lesion(label)
    if lesion is None:
        raise ParameterError(f"there is no lesion {label} to review")
    if reviewed and not drawing.reader:
        raise ParameterError("nobody is known to be reading; give your initials first")
    before = drawing.follow_up(label, session)
    by, at = (drawing.reader, datetime.now(UTC).isoformat(timespec="seconds")) if reviewed else ("", "")
    title = f"review {lesion.lesion_id} at {session}" if reviewed else f"not reviewed: {lesion.lesion_id} at {session}"
    return Edit(title, follow_ups=(FollowUpChange(before, replace(before, reviewed_by=by, reviewed_at=at)),))


def _step(drawing: Drawing, maps: PatientMaps, label: int, session: str) -> PropagationStep:
    plane, state = Plane.follow_up(session), drawing.follow_up(label, session)
    reason = maps.lacks(session)
    if reason or plane not in drawing.planes:
        return PropagationStep(session, "not possible", reason or "nothing can be drawn there", state.reviewed_by)
    found, written = drawing.digest(plane, label), _written(drawing, label, session)
    taken = f"{written.n_taken} of its voxels belong to other lesions there and stay theirs" if written.n_taken else ""
    if found != state.propagated:
        words = "its region was edited there" if found else "its region was erased there"
        return PropagationStep(session, "override", words, state.reviewed_by)
    if not found:
        return PropagationStep(session, "write", taken, state.reviewed_by)
    if found == written.digest:
        return PropagationStep(session, "up to date", taken, state.reviewed_by)
    return PropagationStep(session, "renew", taken or "the onset region has changed since", state.reviewed_by)


def _written(drawing: Drawing, label: int, session: str) -> Written:
    return region_written(drawing, Plane.follow_up(session), label, drawing.voxels(ONSET, label))
