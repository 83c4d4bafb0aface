"""Write the voxels of an edit, whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_msqsm.workspace.drawing.edit import Edit
    from napari_msqsm.workspace.drawing.plane import Plane

    Arrays = Mapping[Plane, NDArray[np.uint16]]


def check(arrays: Arrays, edit: Edit) -> None:
    """Refuse an edit that could not be taken back.

    Raises
    ------
    ParameterError
        When a voxel lies outside its image or occurs twice in a change.
    """
    for change in edit.voxels:
        index, n = change.index, arrays[change.plane].size
        if not index.shape == change.before.shape == change.after.shape or index.ndim != 1:
            raise ParameterError(
                f"{edit.title!r} has {index.shape} voxels, {change.before.shape} labels before and "
                f"{change.after.shape} after; give as many of each"
            )
        if index.size and (index.min() < 0 or index.max() >= n):
            raise ParameterError(f"{edit.title!r} has voxels outside the image of {n} voxels; give a flat index in it")
        if np.any(np.diff(index) <= 0) and np.unique(index).size != index.size:
            raise ParameterError(f"{edit.title!r} changes a voxel twice in one step; give each voxel once")


def write_voxels(arrays: Arrays, edit: Edit, *, checked: bool = False) -> None:
    """Write the labels after an edit.

    Parameters
    ----------
    arrays
        (X, Y, Z) C-contiguous labels of every plane that it changes.
    edit
        The changes, in order.
    checked
        Whether a voxel must have the label that the edit expects there.

    Raises
    ------
    ParameterError
        When one has another label; nothing is changed then.
    """
    for number, change in enumerate(edit.voxels):
        flat = arrays[change.plane].reshape(-1)
        if checked and not np.array_equal(flat[change.index], change.before):
            for done in reversed(edit.voxels[:number]):
                arrays[done.plane].reshape(-1)[done.index] = done.before
            raise ParameterError(f"the drawing changed while {edit.title!r} was prepared; do it again")
        flat[change.index] = change.after
