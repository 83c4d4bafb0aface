"""Giving a lesion another region on a plane, never over another lesion."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_msqsm.workspace.drawing.edit import VoxelChange, index_digest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.workspace.drawing.drawing import Drawing
    from napari_msqsm.workspace.drawing.plane import Plane


class Written(NamedTuple):
    """A region as it would be written.

    Parameters
    ----------
    change
        What has to change; None where the region is there already.
    digest
        Of the region that is there then.
    n_voxels
        How many it has then.
    n_taken
        How many of the wanted voxels belong to other lesions and stay theirs.
    """

    change: VoxelChange | None
    digest: str
    n_voxels: int
    n_taken: int


def region_written(drawing: Drawing, plane: Plane, label: int, wanted: NDArray[np.int64]) -> Written:
    """Find what makes a lesion's region on a plane the wanted one.

    Parameters
    ----------
    drawing, plane, label
        Whose region.
    wanted
        (n,) flat index of its voxels, ascending; voxels of other lesions are left to them.
    """
    flat = drawing.labels(plane).reshape(-1)
    there = flat[wanted]
    own = wanted[(there == 0) | (there == label)]
    old = drawing.voxels(plane, label)
    gone, new = np.setdiff1d(old, own, assume_unique=True), own[flat[own] == 0]
    index = np.concatenate([gone, new])
    change = None
    if index.size:
        order = np.argsort(index)
        after = np.concatenate([np.zeros(gone.size, np.uint16), np.full(new.size, label, np.uint16)])
        change = VoxelChange(plane, index[order], flat[index[order]], after[order])
    return Written(change, index_digest(own), own.size, wanted.size - own.size)
