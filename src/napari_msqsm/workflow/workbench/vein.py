"""The central vein, cut out of a lesion once and carried along to all time points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import ParameterError
from napari_msqsm.workspace.drawing.edit import Edit, voxels_set
from napari_msqsm.workspace.drawing.plane import ONSET, VEIN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.workspace.drawing.drawing import Drawing


def cut_vein(drawing: Drawing, label: int, index: NDArray[np.int64]) -> Edit:
    """Mark voxels of a lesion as its central vein; an edit, not applied.

    Parameters
    ----------
    drawing, label
        Which lesion.
    index
        (n,) flat index on the baseline grid; voxels outside the onset region are left out, since nothing is cut there.

    Raises
    ------
    ParameterError
        When there is no such lesion, or none of the voxels belongs to it.
    """
    lesion = drawing.lesion(label)
    if lesion is None:
        raise ParameterError(f"there is no lesion {label} to cut a vein out of")
    inside = np.intersect1d(index, drawing.voxels(ONSET, label))
    if not inside.size:
        raise ParameterError(
            f"none of the voxels lies in the onset region of {lesion.lesion_id}; draw the region first"
        )
    change = voxels_set(VEIN, drawing.labels(VEIN), inside, label)
    return Edit(f"cut the vein out of {lesion.lesion_id}", () if change is None else (change,))


def restore_vein(drawing: Drawing, label: int) -> Edit:
    """Give a lesion back what was cut out of it; an edit, not applied."""
    lesion = drawing.lesion(label)
    name = lesion.lesion_id if lesion is not None else str(label)
    change = voxels_set(VEIN, drawing.labels(VEIN), drawing.voxels(VEIN, label), 0)
    return Edit(f"restore the vein of {name}", () if change is None else (change,))
