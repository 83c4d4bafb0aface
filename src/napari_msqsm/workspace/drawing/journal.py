"""Every edit, undo and redo, written down when it happens.

A journal is a row of segments. A segment begins from files as they were saved and holds what was done since; each
record has its length and a checksum, so that a tail that was cut off is recognised. Bytes go to the system with the
edit (they outlive the end of the program) and to the disk with `Journal.flush` (they outlive the end of the power).
"""

from __future__ import annotations

import io
import json
import os
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from napari_msqsm.workspace.drawing.frames import Chain, framed
from napari_msqsm.workspace.drawing.record import encode
from napari_msqsm.workspace.drawing.segment import (
    DO,
    DONE,
    ENDING,
    HEAD,
    REDO,
    SAVING,
    UNDO,
    UNDONE,
    Step,
    number_of,
    segments_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from napari_msqsm.workspace.drawing.drawing import How
    from napari_msqsm.workspace.drawing.edit import Edit

History = tuple[tuple["Edit", ...], tuple["Edit", ...]]
"""Steps that can be taken back, and that can be done again."""


class Journal:
    """The segment that is written to.

    Parameters
    ----------
    folder
        Of the journal; made when the first segment begins.

    Notes
    -----
    Whatever cannot be written (a full disk) stays in memory and goes with the next record or `flush`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path: Path | None = None
        self.segment_id = ""
        self._stream: io.FileIO | None = None
        self._chain = Chain()
        self._good = 0
        self._pending = bytearray()
        self._unsynced = False
        self._bytes_of: WeakKeyDictionary[Edit, bytes] = WeakKeyDictionary()
        self._steps: list[Step] = []
        self._wanted: tuple[Mapping[str, Any], History] | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was done since the segment began."""
        return tuple(self._steps)

    @property
    def n_steps(self) -> int:
        """How much was done since the segment began."""
        return len(self._steps)

    def begin(self, head: Mapping[str, Any], history: History = ((), ()), steps: Iterable[Step] = ()) -> None:
        """Begin a segment, which is there as a whole or not at all; the ones before it are removed then.

        Parameters
        ----------
        head
            What it begins from.
        history
            Steps of the time before that can be taken back or done again.
        steps
            What was done since already.

        Raises
        ------
        OSError
            When it cannot be written; the segment before it goes on, and where none is open, `flush` tries again.
        """
        self._wanted = None
        try:
            self._create(head, history, list(steps))
        except OSError:
            if self._stream is None:
                self._wanted, self._steps = (head, history), list(steps)
            raise

    def _create(self, head: Mapping[str, Any], history: History, steps: list[Step]) -> None:
        identity, chain = uuid.uuid4().hex[:8], Chain()
        content = [HEAD + json.dumps({**head, "id": identity}).encode()]
        for kind, edits in zip((DONE, UNDONE), history, strict=True):
            content += [kind + self._encoded(edit) for edit in edits]
        content += [self._payload(step) for step in steps]
        data = framed(content, chain)
        self.folder.mkdir(parents=True, exist_ok=True)
        before = segments_in(self.folder)
        path = self.folder / f"segment-{(number_of(before[-1]) if before else 0) + 1:06d}{ENDING}"
        temporary = path.with_name(f".part-{identity}-{path.name}")
        try:
            with temporary.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
            _flush_folder(self.folder)
            opened = io.FileIO(path, "r+")
        finally:
            temporary.unlink(missing_ok=True)
        self.close()
        self._stream, self.path, self.segment_id, self._chain, self._good = opened, path, identity, chain, len(data)
        self._steps, self._unsynced = steps, False
        self._pending.clear()
        for old in before:
            old.unlink(missing_ok=True)

    def add(self, how: How, edit: Edit, by: str) -> Step:
        """Write down what was just done; ``edit`` as it was carried out (the inverse one for ``undo``)."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        step = Step("do", edit, edit.by, edit.at) if how == "do" else Step(how, None, by, now)
        self._steps.append(step)
        if self._stream is not None:
            self._append(self._payload(step))
        return step

    def announce(self, n_steps: int, files: Mapping[str, str]) -> None:
        """Write down that files are about to be put in place, and have that on disk.

        Parameters
        ----------
        n_steps
            How many steps of the segment they hold.
        files
            Digest of every file of the drawing when they are.

        Raises
        ------
        OSError
            When it cannot be written.
        """
        if self._stream is None:
            self.flush()
        self._append(SAVING + json.dumps({"n_steps": n_steps, "files": dict(files)}).encode())
        self.flush()

    def flush(self) -> None:
        """Have everything on disk.

        Raises
        ------
        OSError
            When it cannot be written; it stays in memory and goes next time.
        """
        if self._wanted is not None:
            self.begin(*self._wanted, self._steps)
        self._write()
        if self._unsynced and self._stream is not None:
            os.fsync(self._stream.fileno())
            self._unsynced = False

    def close(self) -> None:
        """Let go of the file; what it holds stays."""
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    def _encoded(self, edit: Edit) -> bytes:
        if edit not in self._bytes_of:
            self._bytes_of[edit] = encode(edit)
        return self._bytes_of[edit]

    def _payload(self, step: Step) -> bytes:
        if step.edit is not None:
            return DO + self._encoded(step.edit)
        return (UNDO if step.how == "undo" else REDO) + json.dumps({"by": step.by, "at": step.at}).encode()

    def _append(self, payload: bytes) -> None:
        self._pending += self._chain.frame(payload)
        try:
            self._write()
        except OSError:
            self._unsynced = True  # told by the next flush

    def _write(self) -> None:
        """Write what is pending behind the last whole record; a record that was written in part is written again."""
        if not self._pending or self._stream is None:
            return
        self._stream.seek(self._good)
        self._stream.truncate()
        view, at = memoryview(self._pending), 0
        try:
            while at < len(view):
                at += self._stream.write(view[at:])
        finally:
            view.release()
        self._good += len(self._pending)
        self._pending.clear()
        self._unsynced = True


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
