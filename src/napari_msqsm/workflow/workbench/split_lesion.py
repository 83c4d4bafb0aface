"""Confluent lesions that were drawn as one on FLAIR, told apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_msqsm.errors import ParameterError
from napari_msqsm.lesions.tools.split import split_at_necks, split_by_number
from napari_msqsm.workflow.workbench.take_masks import free_id
from napari_msqsm.workspace.drawing.edit import Edit, LesionChange, voxels_set
from napari_msqsm.workspace.drawing.plane import Plane

if TYPE_CHECKING:
    from napari_msqsm.workspace.drawing.drawing import Drawing


def split_lesion(drawing: Drawing, label: int, session: str, *, number: int | None = None) -> Edit:
    """Split a lesion on the FLAIR of a session; an edit, not applied.

    Parameters
    ----------
    drawing, label
        Which lesion.
    session
        On whose FLAIR it is drawn.
    number
        Of pieces, at the narrowest necks; where it has necks when not given.

    Returns
    -------
    Edit
        The largest piece keeps the label; each other one is a new lesion with the same onset session. Regions on QSM
        stay as they are: carry them over again.

    Raises
    ------
    ParameterError
        When it is not drawn there, or has no neck to split it at.
    """
    lesion, plane = drawing.lesion(label), Plane.flair(session)
    if lesion is None:
        raise ParameterError(f"there is no lesion {label} to split")
    if plane not in drawing.planes or drawing.box(plane, label) is None:
        raise ParameterError(f"{lesion.lesion_id} is not drawn on the FLAIR of {session}; show a session where it is")
    labels, size = drawing.labels(plane), drawing.grid(plane).voxel_size_mm
    if number is None:
        pieces = split_at_necks(labels, label, size)
    else:
        pieces = split_by_number(labels, label, size, number=number)
    if len(pieces) < 2:
        raise ParameterError(f"{lesion.lesion_id} has no neck to split it at; erase a line of voxels and use Parts")
    first, changes, lesions = drawing.next_label(), [], []
    for offset, index in enumerate(pieces[1:]):
        new = first + offset
        change = voxels_set(plane, labels, index, new)
        if change is not None:
            changes.append(change)
        same = replace(lesion, label=new, lesion_id=free_id(drawing, new), carried="", onset_point_mm=None, note="")
        lesions.append(LesionChange(None, same))
    return Edit(f"split {lesion.lesion_id} in {len(pieces)}", tuple(changes), tuple(lesions))
