"""Makes steps of what a pen wrote; the parts of one stroke are taken back together."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_msqsm.workspace.drawing.edit import Edit

if TYPE_CHECKING:
    from napari_msqsm.widgets.workbench.regions import Pen
    from napari_msqsm.workspace.drawing.drawing import Drawing


class Steps:
    """Of one drawing.

    Parameters
    ----------
    drawing, pen
        Where the steps go, and what writes.
    made
        Called with every edit that was made.

    Notes
    -----
    A long stroke is taken in parts, so that a crash loses no more than the last of them. Each part is an edit; `undo`
    and `redo` go over all parts of a stroke at once.
    """

    def __init__(self, drawing: Drawing, pen: Pen, made: Callable[[Edit], None]) -> None:
        self._drawing, self._pen, self._made = drawing, pen, made
        self._goes_on = False
        self._continued: weakref.WeakSet[Edit] = weakref.WeakSet()
        """Edits that continue the one before."""

    def finish(self, title: str) -> Edit | None:
        """Make what was written since the last time a step; None where nothing has changed.

        Raises
        ------
        MsqsmError
            When the drawing does not take it; the voxels are what they were then.
        """
        edit = self._take(title)
        self._goes_on = False
        return edit

    def flush(self, title: str) -> Edit | None:
        """Take the part of a stroke that was written so far; the rest will belong to it. Raises as `finish`."""
        if not self._pen.wrote:
            return None
        edit = self._take(title)
        self._goes_on = self._goes_on or edit is not None
        return edit

    def undo(self) -> Edit | None:
        """Take the last step back, with all its parts; the last edit that was taken back."""
        undone = edit = self._drawing.undo()
        while edit is not None and edit in self._continued:
            undone = edit = self._drawing.undo()
        return undone

    def redo(self) -> Edit | None:
        """Do again what was taken back last, with all its parts; the last edit that was done."""
        redone = self._drawing.redo()
        while redone is not None and self._drawing.history.next in self._continued:
            redone = self._drawing.redo()
        return redone

    def _take(self, title: str) -> Edit | None:
        changes = self._pen.take()
        if not changes:
            return None
        edit = self._drawing.take(Edit(title, changes))
        if self._goes_on:
            self._continued.add(edit)
        self._made(edit)
        return edit
