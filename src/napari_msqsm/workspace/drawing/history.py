"""Steps that can be taken back and done again, within a limit of memory."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_msqsm.workspace.drawing.edit import Edit

MOST_BYTES = 256_000_000


class History:
    """Two stacks of edits.

    Parameters
    ----------
    most_bytes
        Memory of the steps that are kept; the oldest ones go first, the last one stays whatever it takes.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._done: deque[Edit] = deque()
        self._undone: list[Edit] = []
        self._bytes = 0

    @property
    def done(self) -> tuple[Edit, ...]:
        """Steps that can be taken back, the last one last."""
        return tuple(self._done)

    @property
    def undone(self) -> tuple[Edit, ...]:
        """Steps that can be done again, the next one last."""
        return tuple(self._undone)

    @property
    def last(self) -> Edit | None:
        """Step that would be taken back now."""
        return self._done[-1] if self._done else None

    @property
    def next(self) -> Edit | None:
        """Step that would be done again now."""
        return self._undone[-1] if self._undone else None

    def push(self, edit: Edit) -> None:
        """Take note of a new step: what was taken back before cannot be done again."""
        self._bytes += edit.n_bytes - sum(each.n_bytes for each in self._undone)
        self._undone.clear()
        self._done.append(edit)
        while self._bytes > self._most_bytes and len(self._done) > 1:
            self._bytes -= self._done.popleft().n_bytes

    def back(self) -> None:
        """Take note that the last step was taken back."""
        self._undone.append(self._done.pop())

    def again(self) -> None:
        """Take note that the next step was done again."""
        self._done.append(self._undone.pop())

    def replace(self, done: Iterable[Edit] = (), undone: Iterable[Edit] = ()) -> None:
        """Put other steps in place of these."""
        self._done, self._undone = deque(done), list(undone)
        self._bytes = sum(each.n_bytes for each in (*self._done, *self._undone))
