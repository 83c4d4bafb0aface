"""Masks that were taken session by session, each with numbers of its own, get one label for each lesion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.lesions.label_cloud import LabelCloud
from napari_msqsm.model.lesion import Lesion
from napari_msqsm.workflow.workbench.same_lesions import same_lesions
from napari_msqsm.workflow.workbench.take_masks import free_id
from napari_msqsm.workflow.workbench.tracking import cloud_of
from napari_msqsm.workspace.drawing.edit import Edit, LesionChange, VoxelChange
from napari_msqsm.workspace.drawing.plane import ONSET, Plane, PlaneKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing


@dataclass(frozen=True, eq=False)
class MatchedDrawn:
    """What matching the masks of a patient does.

    Parameters
    ----------
    edit
        Not applied; empty where every lesion has one label already.
    relabelled
        Session, label before and label after of each lesion that gets another one.
    notes
        What was found and done, one sentence each.
    """

    edit: Edit
    relabelled: tuple[tuple[str, int, int], ...]
    notes: tuple[str, ...]


def worked_on(drawing: Drawing, lesion: Lesion) -> bool:
    """Whether somebody made more of a lesion than a number in a mask: its label then stays."""
    known = lesion.onset_session or lesion.onset or lesion.carried or lesion.note or lesion.excluded
    return bool(known or drawing.box(ONSET, lesion.label) is not None)


def match_drawn(drawing: Drawing, maps: PatientMaps) -> MatchedDrawn:
    """Give lesions at the same place one label, from the first session on.

    Lesions that somebody has worked on keep their label; the others take that of the lesion at their place at an
    earlier session. One without such a lesion keeps its number where no other lesion has it, and gets a new one
    otherwise.
    """
    fixed = {lesion.label for lesion in drawing.lesions if worked_on(drawing, lesion)}
    used, free = set(fixed), drawing.next_label()
    known: list[LabelCloud] = []
    voxels, relabelled, notes = [], [], []
    for session in maps.sessions:
        cloud = cloud_of(drawing, maps, session.label)
        if isinstance(cloud, str):
            notes.append(f"{session.label} is left as it is: {cloud}")
            continue
        here = set(drawing.labels_on(Plane.flair(session.label)))
        loose = sorted(here - fixed)
        strange = LabelCloud(np.where(np.isin(cloud.labels, loose), cloud.labels, 0), cloud.grid, cloud.transform)
        table = {}
        for each in same_lesions(strange, reversed(known), apart=here & fixed):
            label = each.label or (each.number if each.number not in used else free)
            free += label == free
            table[each.number] = label
            used.add(label)
        changed = {before: after for before, after in table.items() if before != after}
        relabelled += [(session.label, before, after) for before, after in changed.items()]
        if changed:
            voxels.append(_relabelled(Plane.flair(session.label), cloud.labels, changed))
            labels = cloud.labels.copy()
            labels.reshape(-1)[voxels[-1].index] = voxels[-1].after
            cloud = LabelCloud(labels, cloud.grid, cloud.transform)
        known.append(cloud)
    edit = Edit("give lesions one label in all sessions", tuple(voxels), _lesions(drawing, tuple(voxels), used))
    if relabelled:
        notes.append(f"{len(relabelled)} lesions got the label of the lesion at their place, or a new one")
    return MatchedDrawn(edit if voxels else Edit(edit.title), tuple(relabelled), tuple(notes))


def _relabelled(plane: Plane, labels: NDArray[Any], changed: dict[int, int]) -> VoxelChange:
    index = np.flatnonzero(np.isin(labels, list(changed)))
    before = labels.reshape(-1)[index]
    table = np.arange(int(before.max()) + 1, dtype=np.uint16)
    for old, new in changed.items():
        table[old] = new
    return VoxelChange(plane, index, before, table[before])


def _lesions(drawing: Drawing, voxels: tuple[VoxelChange, ...], used: set[int]) -> tuple[LesionChange, ...]:
    """Lesions that come to be, and those of which nothing is left anywhere."""
    changed = {change.plane for change in voxels}
    elsewhere = {
        label
        for plane in drawing.planes
        if plane not in changed and (plane.kind is PlaneKind.FLAIR or plane == ONSET)
        for label in drawing.labels_on(plane)
    }
    new = tuple(
        LesionChange(None, Lesion(label, free_id(drawing, label)))
        for label in sorted(used)
        if drawing.lesion(label) is None
    )
    gone = tuple(LesionChange(one, None) for one in drawing.lesions if one.label not in used | elsewhere)
    return (*new, *gone) if voxels else ()
