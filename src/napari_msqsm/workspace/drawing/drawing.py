"""Everything that was drawn of one patient, and one undo for all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from psygnal import Signal

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.model.lesion import MOST_LESIONS, FollowUp, Lesion
from napari_msqsm.workspace.drawing.edit import Edit
from napari_msqsm.workspace.drawing.history import MOST_BYTES, History
from napari_msqsm.workspace.drawing.label_images import LabelImages, Load
from napari_msqsm.workspace.drawing.writing import check, write_voxels

if TYPE_CHECKING:
    from napari_msqsm.model.grid import Grid
    from napari_msqsm.workspace.drawing.plane import Plane

How = Literal["do", "undo", "redo"]
Record = Callable[[Edit, How], None]


class Drawing(LabelImages):
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
    highest_label
        Highest label that occurs anywhere, where it is not that of a lesion.
    notes
        What was assumed when it was read, one sentence each.
    most_bytes
        Memory of the steps that can be taken back.

    Attributes
    ----------
    read_only : str
        Why nothing can be drawn, one sentence; empty where it can.
    record : callable
        ``record(edit, how)`` writes every step down; called before ``changed`` tells the others.

    Notes
    -----
    Events: ``changed(edit, how)`` after an edit was applied; ``how`` is ``do``, ``undo`` (the edit is then the inverse
    one) or ``redo``. All changes go through `apply`, or through `take` where a tool has written the voxels itself.
    How large an image is matters only when its plane is first asked for; an edit takes what its voxels take.
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
        highest_label: int = 0,
        notes: Iterable[str] = (),
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.patient_id = patient_id
        self.reader = reader
        self._lesions = {lesion.label: lesion for lesion in lesions}
        self._follow_ups = {(each.label, each.session): each for each in follow_ups if not _is_empty(each)}
        super().__init__(grids, load, max(highest_label, *self._lesions, 0))
        self.history = History(most_bytes)
        self.notes = tuple(notes)
        self.read_only = ""
        self.record: Record = lambda _, __: None

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

    def apply(self, edit: Edit) -> Edit:
        """Carry out an edit; returns it as it stands in the history, with reader and time.

        Raises
        ------
        InputError
            When the drawing is read-only.
        ParameterError
            When the edit is not one of this drawing as it is now. Nothing is changed then.
        """
        return self._push(edit, written=False)

    def take(self, edit: Edit) -> Edit:
        """Take note of an edit whose voxels a tool has written already.

        Raises
        ------
        InputError, ParameterError
            As `apply`; the voxels get back what they had before.
        """
        return self._push(edit, written=True)

    @property
    def can_undo(self) -> str:
        """Title of the step that `undo` takes back; empty where there is none."""
        return self.history.last.title if self.history.last else ""

    @property
    def can_redo(self) -> str:
        """Title of the step that `redo` does again; empty where there is none."""
        return self.history.next.title if self.history.next else ""

    def undo(self) -> Edit | None:
        """Take the last step back; None where there is none.

        Raises
        ------
        InputError
            When the drawing is read-only.
        """
        self._refuse_when_read_only()
        edit = self.history.last
        if edit is None:
            return None
        inverse = edit.inverse
        self._write(inverse)
        self.history.back()
        self.record(inverse, "undo")
        self.changed.emit(inverse, "undo")
        return edit

    def redo(self) -> Edit | None:
        """Do again what was taken back last; None where there is nothing.

        Raises
        ------
        InputError
            When the drawing is read-only.
        """
        self._refuse_when_read_only()
        edit = self.history.next
        if edit is None:
            return None
        self._write(edit)
        self.history.again()
        self.record(edit, "redo")
        self.changed.emit(edit, "redo")
        return edit

    def repeat(self, edit: Edit, how: How = "do") -> None:
        """Carry out a step of a journal: no event, no look at what the voxels had before."""
        self._write(edit, checked=False)
        if how == "do":
            self.history.push(edit)
        elif how == "undo":
            self.history.back()
        else:
            self.history.again()

    def _refuse_when_read_only(self) -> None:
        if self.read_only:
            raise InputError(self.read_only)

    def _push(self, edit: Edit, *, written: bool) -> Edit:
        if edit.is_empty:
            return edit
        if not edit.at:
            edit = replace(edit, by=edit.by or self.reader, at=datetime.now(UTC).isoformat(timespec="milliseconds"))
        try:
            self._refuse_when_read_only()
            self._write(edit, written=written)
        except (InputError, ParameterError):
            if written:
                write_voxels({change.plane: self.labels(change.plane) for change in edit.voxels}, edit.inverse)
                self._note(edit.inverse)
            raise
        self.history.push(edit)
        self.record(edit, "do")
        self.changed.emit(edit, "do")
        return edit

    def _write(self, edit: Edit, *, written: bool = False, checked: bool = True) -> None:
        arrays = {change.plane: self.labels(change.plane) for change in edit.voxels}
        check(arrays, edit)
        if not written:
            write_voxels(arrays, edit, checked=checked)
        self._note(edit)
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
            now = state.after or state.before
            if now is None:
                continue
            if state.after is None or _is_empty(now):
                self._follow_ups.pop((now.label, now.session), None)
            else:
                self._follow_ups[now.label, now.session] = now


def _is_empty(state: FollowUp) -> bool:
    """Whether nothing is known of a lesion at a session."""
    return state == FollowUp(state.label, state.session)
