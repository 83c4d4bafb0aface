"""From the region that was drawn on FLAIR to the onset region on the baseline grid: a plan, and carrying it out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_msqsm.errors import ParameterError
from napari_msqsm.lesions.carried_voxels import carried_voxels
from napari_msqsm.model.grid import Grid
from napari_msqsm.workflow.workbench.write_region import region_written
from napari_msqsm.workspace.drawing.edit import Edit, LesionChange
from napari_msqsm.workspace.drawing.plane import ONSET, Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing

Action = Literal["write", "renew", "override", "up to date", "not possible"]


@dataclass(frozen=True, eq=False)
class CarryPlan:
    """What carrying a lesion over from FLAIR would do.

    Parameters
    ----------
    label, lesion_id, session
        Which lesion, from the FLAIR of which session.
    action
        ``write``: it has no onset region yet. ``renew``: its onset region is what was carried from an earlier drawing
        on FLAIR. ``override``: its onset region was edited or drawn on QSM; carrying would replace that, so ask.
        ``up to date``. ``not possible``.
    reason
        One sentence; empty where there is nothing to say.
    n_before, n_after
        Voxels of the onset region now, and of what would be carried.
    index
        (n,) flat index on the baseline grid of what would be carried.
    digests
        Of both regions as they were looked at, FLAIR and onset.
    """

    label: int
    lesion_id: str
    session: str
    action: Action
    reason: str = ""
    n_before: int = 0
    n_after: int = 0
    index: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64), repr=False)
    digests: tuple[str, str] = ("", "")

    @property
    def asks(self) -> bool:
        """Whether edits on QSM would be lost: ask first."""
        return self.action == "override"


def edited_on_qsm(drawing: Drawing, label: int) -> bool:
    """Whether the onset region of a lesion is another one than what was carried from FLAIR (drawn there, or edited)."""
    found, lesion = drawing.digest(ONSET, label), drawing.lesion(label)
    return found != (lesion.carried if lesion is not None else "")


def carry_plan(drawing: Drawing, maps: PatientMaps, label: int, *, session: str = "") -> CarryPlan:
    """Look at what carrying a lesion over from FLAIR would do; nothing is changed.

    Parameters
    ----------
    drawing, maps, label
        Which lesion.
    session
        Whose FLAIR; the onset session's when not given.

    Raises
    ------
    ParameterError
        When there is no such lesion.
    """
    lesion = drawing.lesion(label)
    if lesion is None:
        raise ParameterError(f"there is no lesion {label}; mark its onset first")
    session = session or lesion.onset_session
    plan = CarryPlan(label, lesion.lesion_id, session, "not possible")
    if not session:
        return replace(plan, reason="nobody said at which session it first enhances; mark its onset")
    plane = Plane.flair(session)
    box = drawing.box(plane, label) if plane in drawing.planes else None
    if box is None:
        return replace(plan, reason=f"it is not drawn on the FLAIR of {session}")
    transform = maps.transform(session, "FLAIR")
    if transform is None:
        words = (
            f"the FLAIR of {session} is not aligned to the baseline, or the alignment may not be used; coregister it"
        )
        return replace(plan, reason=words)
    corner = np.eye(4)
    corner[:3, 3] = [part.start for part in box]
    mask = drawing.labels(plane)[box] == label
    grid = Grid(mask.shape, drawing.grid(plane).affine @ corner)
    index = carried_voxels(mask, grid, drawing.grid(ONSET), transform)
    before, written = drawing.digest(ONSET, label), region_written(drawing, ONSET, label, index)
    plan = replace(
        plan,
        n_before=drawing.voxels(ONSET, label).size,
        n_after=written.n_voxels,
        index=index,
        digests=(drawing.digest(plane, label), before),
    )
    taken = f"{written.n_taken} of its voxels belong to other lesions and stay theirs" if written.n_taken else ""
    if not index.size:
        return replace(plan, reason="it lies outside the gradient echo of the baseline")
    if not written.n_voxels:
        return replace(plan, reason="all of its voxels belong to other lesions")
    if before == lesion.carried:
        action: Action = "write" if not before else "up to date" if before == written.digest else "renew"
        return replace(plan, action=action, reason=taken)
    words = "its region was drawn or edited on QSM" if before else "its region was erased on QSM"
    return replace(plan, action="override", reason=words + (f"; {taken}" if taken else ""))


def carry(drawing: Drawing, plan: CarryPlan, *, replace_edits: bool = False) -> Edit:
    """Carry a lesion over from FLAIR to the onset plane.

    Parameters
    ----------
    drawing, plan
        The plan has to be one of the drawing as it is.
    replace_edits
        Whether a region that was edited on QSM is replaced.

    Returns
    -------
    Edit
        Not applied; empty where the region is there already. The region on FLAIR is left as it is.

    Raises
    ------
    ParameterError
        When it is not possible, would replace edits that nobody gave up, or the drawing has changed since the plan.
    """
    lesion = drawing.lesion(plan.label)
    if lesion is None or plan.action == "not possible":
        raise ParameterError(f"{plan.lesion_id} cannot be carried over: {plan.reason or 'there is no such lesion'}")
    now = tuple(drawing.digest(plane, plan.label) for plane in (Plane.flair(plan.session), ONSET))
    if now != plan.digests:
        raise ParameterError(f"{plan.lesion_id} has changed since it was looked at; carry it over again")
    if plan.action == "override" and not replace_edits:
        raise ParameterError(f"{plan.lesion_id}: {plan.reason}; carrying it over replaces that, which nobody asked for")
    written = region_written(drawing, ONSET, plan.label, plan.index)
    after = replace(lesion, carried=written.digest)
    return Edit(
        f"carry {plan.lesion_id} over from FLAIR",
        () if written.change is None else (written.change,),
        () if after == lesion else (LesionChange(lesion, after),),
    )
