"""Everything that was drawn of one patient, and one undo for all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import numpy as np
from psygnal import Signal

from napari_msqsm.errors import ParameterError, ShapeMismatchError
from napari_msqsm.model.lesion import MOST_LESIONS, FollowUp, Lesion
from napari_msqsm.workspace.drawing.boxes import LabelBoxes
from napari_msqsm.workspace.drawing.edit import Edit, VoxelChange, roi_digest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.workspace.drawing.boxes import Box
    from napari_msqsm.workspace.drawing.plane import Plane

How = Literal["do", "undo", "redo"]
Load = Callable[["Plane"], "NDArray[np.uint16] | None"]
_MOST_BYTES = 256_000_000
"""Memory of the steps that can be undone; the oldest ones go first."""


class Drawing:
    """Label images, lesions and their states of one patient.

    Parameters
    ----------
    patient_id
        Without ``sub-``.
    grids
        Grid of every plane that there can be.
    load
        Returns the labels of a plane as they are stored, (X, Y, Z); None where there are none yet. Called once for each
        plane, when it is first asked for.
    lesions, follow_ups
        What is known already.
    reader
        Initials of who draws; written into every edit.

    Notes
    -----
    Events: ``changed(edit, how)`` after an edit was applied; ``how`` is ``do``, ``undo`` (the edit is then the inverse
    one) or ``redo``. All changes go through `apply`, or through `take` where a tool has written the voxels itself.
    """

    changed = Signal(Edit, str)

    def __init__(
        self,
        patient_id: str,
        grids: Mapping[Plane, Grid],
        *,
        load: Load = lambda _: None,
        lesions: Iterable[Lesion] = (),
        follow_ups: Iterable[FollowUp] = (),
        reader: str = "",
    ) -> None:
        self.patient_id = patient_id
        self.reader = reader
        self._grids = dict(grids)
        self._load = load
        self._labels: dict[Plane, NDArray[np.uint16]] = {}
        self._boxes: dict[Plane, LabelBoxes] = {}
        self._lesions = {lesion.label: lesion for lesion in lesions}
        self._follow_ups = {(each.label, each.session): each for each in follow_ups}
        self._highest = max(self._lesions, default=0)
        self._done: list[Edit] = []
        self._undone: list[Edit] = []

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
        """(X, Y, Z) labels of a plane: the live array, C-contiguous. Only `apply` and tools that `take` write to it."""
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
        return self._labels[plane]

    @property
    def lesions(self) -> tuple[Lesion, ...]:
        """Lesions by label."""
        return tuple(self._lesions[label] for label in sorted(self._lesions))

    def lesion(self, label: int) -> Lesion | None:
        """One lesion; None where there is none of this label."""
        return self._lesions.get(label)

    @property
    def follow_ups(self) -> tuple[FollowUp, ...]:
        """States of lesions at sessions, by label and session."""
        return tuple(self._follow_ups[key] for key in sorted(self._follow_ups))

    def follow_up(self, label: int, session: str) -> FollowUp:
        """State of a lesion at a session; an empty one where nothing is known."""
        return self._follow_ups.get((label, session)) or FollowUp(label, session)

    def next_label(self) -> int:
        """Label for a new lesion, one that was never used before.

        Raises
        ------
        ParameterError
            When there are as many lesions as labels can tell apart.
        """
        if self._highest >= MOST_LESIONS:
            raise ParameterError(f"a patient can have {MOST_LESIONS} lesions; delete some labels")
        return self._highest + 1

    def digest(self, plane: Plane, label: int) -> str:
        """Digest of a lesion's region on a plane; empty where it has none there."""
        box = self.box(plane, label)
        return "" if box is None else roi_digest(self.labels(plane), label, box)

    def box(self, plane: Plane, label: int) -> Box | None:
        """Smallest box about a lesion's region on a plane; None where it has none there.

        Voxels that a tool has written count from when they are taken.
        """
        return self._boxes_of(plane).box(label)

    def labels_on(self, plane: Plane) -> tuple[int, ...]:
        """Lesions that have a region on a plane."""
        return self._boxes_of(plane).labels

    def _boxes_of(self, plane: Plane) -> LabelBoxes:
        if plane not in self._boxes:
            self._boxes[plane] = LabelBoxes(self.labels(plane))
        return self._boxes[plane]

    def apply(self, edit: Edit) -> Edit:
        """Carry out an edit; returns it as it stands in the history, with reader and time."""
        return self._push(edit, written=False)

    def take(self, edit: Edit) -> Edit:
        """Take note of an edit whose voxels a tool has written already."""
        return self._push(edit, written=True)

    @property
    def can_undo(self) -> str:
        """Title of the step that `undo` takes back; empty where there is none."""
        return self._done[-1].title if self._done else ""

    @property
    def can_redo(self) -> str:
        """Title of the step that `redo` does again; empty where there is none."""
        return self._undone[-1].title if self._undone else ""

    def undo(self) -> Edit | None:
        """Take the last step back; None where there is none."""
        if not self._done:
            return None
        edit = self._done.pop()
        self._undone.append(edit)
        self._write(edit.inverse, written=False)
        self.changed.emit(edit.inverse, "undo")
        return edit

    def redo(self) -> Edit | None:
        """Do again what was taken back last; None where there is nothing."""
        if not self._undone:
            return None
        edit = self._undone.pop()
        self._done.append(edit)
        self._write(edit, written=False)
        self.changed.emit(edit, "redo")
        return edit

    def _push(self, edit: Edit, *, written: bool) -> Edit:
        if edit.is_empty:
            return edit
        if not edit.at:
            edit = replace(edit, by=edit.by or self.reader, at=datetime.now(UTC).isoformat(timespec="milliseconds"))
        self._write(edit, written=written)
        self._done.append(edit)
        self._undone.clear()
        total = sum(each.n_bytes for each in self._done)
        while total > _MOST_BYTES and len(self._done) > 1:
            total -= self._done.pop(0).n_bytes
        self.changed.emit(edit, "do")
        return edit

    def _write(self, edit: Edit, *, written: bool) -> None:
        for change in edit.voxels:
            if not written:
                self._write_voxels(change)
            if change.plane in self._boxes:
                self._boxes[change.plane].note(change.index, change.before, change.after)
        for lesion in edit.lesions:
            side = lesion.after or lesion.before
            if side is None:
                continue
            self._highest = max(self._highest, side.label)
            if lesion.after is None:
                self._lesions.pop(side.label, None)
            else:
                self._lesions[side.label] = lesion.after
        for state in edit.follow_ups:
            if state.after is not None:
                self._follow_ups[state.after.label, state.after.session] = state.after
            elif state.before is not None:
                self._follow_ups.pop((state.before.label, state.before.session), None)

    def _write_voxels(self, change: VoxelChange) -> None:
        self.labels(change.plane).ravel()[change.index] = change.after
