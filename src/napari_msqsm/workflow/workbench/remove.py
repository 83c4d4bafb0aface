"""Take a lesion away, with everything that was drawn of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import ParameterError
from napari_msqsm.workspace.drawing.edit import Edit, FollowUpChange, LesionChange, VoxelChange

if TYPE_CHECKING:
    from napari_msqsm.workspace.drawing.drawing import Drawing


def remove_lesion(drawing: Drawing, label: int) -> Edit:
    """Take a lesion away from all planes; an edit, not applied. Its label is never used again.

    Raises
    ------
    ParameterError
        When there is no such lesion.
    """
    lesion = drawing.lesion(label)
    if lesion is None:
        raise ParameterError(f"there is no lesion {label}")
    changes = []
    for plane in drawing.planes:
        index = drawing.voxels(plane, label)
        if index.size:
            before = np.full(index.size, label, dtype=np.uint16)
            changes.append(VoxelChange(plane, index, before, np.zeros_like(before)))
    states = tuple(FollowUpChange(each, None) for each in drawing.follow_ups if each.label == label)
    return Edit(f"delete {lesion.lesion_id}", tuple(changes), (LesionChange(lesion, None),), states)
