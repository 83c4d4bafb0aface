"""Label images of a patient, one for each plane, read when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import ShapeMismatchError
from napari_msqsm.workspace.drawing.boxes import LabelBoxes
from napari_msqsm.workspace.drawing.edit import label_index, roi_digest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.workspace.drawing.boxes import Box
    from napari_msqsm.workspace.drawing.edit import Edit
    from napari_msqsm.workspace.drawing.plane import Plane

Load = Callable[["Plane"], "NDArray[np.uint16] | None"]


class LabelImages:
    """Label images and where the lesions are on them.

    Parameters
    ----------
    grids
        Grid of every plane that there can be.
    load
        Returns the labels of a plane as they are stored, (X, Y, Z); None where there are none yet.
    highest_label
        Highest label that is known of.
    """

    def __init__(self, grids: Mapping[Plane, Grid], load: Load, highest_label: int) -> None:
        self._grids = dict(grids)
        self._load = load
        self._labels: dict[Plane, NDArray[np.uint16]] = {}
        self._boxes: dict[Plane, LabelBoxes] = {}
        self._highest = highest_label

    @property
    def planes(self) -> tuple[Plane, ...]:
        """All planes that there can be."""
        return tuple(self._grids)

    @property
    def loaded(self) -> tuple[Plane, ...]:
        """Planes that were asked for so far."""
        return tuple(self._labels)

    def grid(self, plane: Plane) -> Grid:
        """Grid of a plane; KeyError where there is no such plane."""
        return self._grids[plane]

    def labels(self, plane: Plane) -> NDArray[np.uint16]:
        """(X, Y, Z) labels of a plane: the live array, C-contiguous. Only `apply` and tools that `take` write to it.

        Raises
        ------
        InputError
            When its file cannot be used.
        """
        if plane not in self._labels:
            grid = self._grids[plane]
            stored = self._load(plane)
            if stored is None:
                stored = np.zeros(grid.shape, dtype=np.uint16)
            if stored.shape != grid.shape:
                raise ShapeMismatchError(
                    f"the labels of {plane.kind} {plane.session} have shape {stored.shape} but its image {grid.shape}"
                )
            own = np.ascontiguousarray(stored, dtype=np.uint16)
            self._labels[plane] = own if own.flags.writeable and own.flags.owndata else own.copy()
            self._highest = max(self._highest, int(own.max()))
        return self._labels[plane]

    def labels_on(self, plane: Plane) -> tuple[int, ...]:
        """Lesions that have a region on a plane."""
        return self._boxes_of(plane).labels

    def box(self, plane: Plane, label: int) -> Box | None:
        """Smallest box about a lesion's region on a plane; None where it has none there.

        Voxels that a tool has written count from when they are taken.
        """
        return self._boxes_of(plane).box(label)

    def voxels(self, plane: Plane, label: int) -> NDArray[np.int64]:
        """(n,) flat index of a lesion's region on a plane, C order, ascending; only its box is looked through."""
        box = self.box(plane, label)
        return np.zeros(0, np.int64) if box is None else label_index(self.labels(plane), label, box)

    def digest(self, plane: Plane, label: int) -> str:
        """Digest of a lesion's region on a plane; empty where it has none there."""
        box = self.box(plane, label)
        return "" if box is None else roi_digest(self.labels(plane), label, box)

    def _boxes_of(self, plane: Plane) -> LabelBoxes:
        if plane not in self._boxes:
            self._boxes[plane] = LabelBoxes(self.labels(plane))
        return self._boxes[plane]

    def _note(self, edit: Edit) -> None:
        for change in edit.voxels:
            if change.plane in self._boxes:
                self._boxes[change.plane].note(change.index, change.before, change.after)
