"""A drawing that is open: every edit goes to the journal, and the files are written when asked."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError
from napari_msqsm.workflow.coregistration.pairs import magnitude_files
from napari_msqsm.workflow.derivatives import write_dataset_description
from napari_msqsm.workflow.drawing.aside import write_aside
from napari_msqsm.workflow.drawing.leftovers import keep_damaged, remove_leftovers, set_aside
from napari_msqsm.workflow.drawing.plane_files import fingerprint
from napari_msqsm.workflow.drawing.recovery import files_of, head_of, recover
from napari_msqsm.workflow.drawing.saving import Snapshot, write_snapshot
from napari_msqsm.workflow.drawing.stored import FileState
from napari_msqsm.workflow.provenance import bids_uri
from napari_msqsm.workspace.drawing.audit import Audit
from napari_msqsm.workspace.drawing.journal import Journal
from napari_msqsm.workspace.drawing.plane import PlaneKind
from napari_msqsm.workspace.drawing.segment import carried_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from napari_msqsm.model.study import Study
    from napari_msqsm.workflow.drawing.places import Places
    from napari_msqsm.workflow.drawing.recovery import Recovery
    from napari_msqsm.workflow.drawing.stored import Stored
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing, How
    from napari_msqsm.workspace.drawing.edit import Edit
    from napari_msqsm.workspace.drawing.journal import History
    from napari_msqsm.workspace.drawing.lock import Holder, Lock
    from napari_msqsm.workspace.drawing.plane import Plane
    from napari_msqsm.workspace.drawing.segment import Segment, Step

_JOURNAL = (
    "the journal cannot be written ({why}); what you draw now is in memory only: free some space or make the folder "
    "writable"
)


class OpenDrawing:
    """Made by `napari_msqsm.workflow.drawing.opening.open_drawing`.

    Attributes
    ----------
    drawing : Drawing
        To draw on; each of its edits is in the journal when ``apply`` or ``take`` returns.
    maps : PatientMaps
        Images of the patient.
    held_by : Holder or None
        Who has the patient open elsewhere; None where we hold the lock (or the folder cannot be written to).
    recovery : Recovery or None
        What was not saved last time, until `recover` or `discard` is called.
    problem : str
        Why the journal or the files could not be written last time, one sentence; empty where they were.

    Notes
    -----
    `tick` wants to be called every second, `save` on every change of lesion and when asked, `close` at the end. Edits,
    `recover`, `discard`, `prepare_save`, `tick` and `close` belong in one thread; what `prepare_save` returns may run
    in another one while the drawing goes on.
    """

    def __init__(
        self,
        study: Study,
        maps: PatientMaps,
        places: Places,
        drawing: Drawing,
        stored: Stored,
        segment: Segment | None,
        lock: Lock | None,
        held_by: Holder | None,
        recovery: Recovery | None,
    ) -> None:
        self.study, self.maps, self.places, self.drawing = study, maps, places, drawing
        self.held_by, self.recovery, self.problem = held_by, recovery, ""
        self._lock, self._segment, self._more = lock, segment, stored.more
        self._files: dict[str, FileState] = dict(stored.files)
        self._changes: dict[Plane, int] = {}
        self._journal, self._audit = Journal(places.journal), Audit(places.audit)
        self._first = self._n_saved = 0
        """Steps before the segment of the journal, and of the segment those that the files hold."""
        self._described = False
        self._busy = threading.RLock()
        self._saving = threading.Lock()
        if lock is None:
            return
        remove_leftovers(places, drawing.planes)
        damaged = keep_damaged(places.journal, segment, copy=recovery is None)
        if damaged:
            drawing.notes += (f"a part of the journal cannot be read; it is kept as {', '.join(damaged)}",)
        if recovery is not None:
            drawing.read_only = f"{recovery.sentence}; recover them or set them aside first"
        elif stored.files and (segment is None or segment.steps or files_of(segment) != stored.files):
            self._begin()
        drawing.record = self._note

    @property
    def unsaved(self) -> int:
        """Number of steps that the files do not hold."""
        return self._journal.n_steps - self._n_saved

    def recover(self) -> Edit:
        """Do again what was not saved; returns what changed in all, which ``drawing.changed`` has told as well.

        Raises
        ------
        InputError
            When it does not fit on the images or files any more; it is kept.
        """
        segment, recovery = self._waiting()
        newer = bool(recovery.changed_files)
        whole = recover(self.drawing, segment, on_newer_files=newer)
        done = carried_out(segment)
        audited = max(segment.head["n_audited"], self._audit.steps_of(segment.head["id"]))
        for number, (step, edit) in enumerate(done[audited:], start=audited + 1):
            self._audit.step(step, edit, f"{segment.head['id']}-{number}")
        self._audit.note(_now(), self.drawing.reader, "recover", f"{recovery.n_edits} steps")
        for change in (change for _, edit in done for change in edit.voxels):
            self._changes[change.plane] = self._changes.get(change.plane, 0) + 1
        if segment.n_dropped_bytes:
            set_aside(segment.path, "damaged", copy=True)
        self._resume()
        if newer:
            self._begin()
            if not whole.is_empty:
                self._journal.add("do", whole, self.drawing.reader)
        else:
            self._begin((segment.done, segment.undone), segment.steps, n_audited=len(done))
        self.tick()
        self.drawing.changed.emit(whole, "do")
        return whole

    def discard(self) -> Path:
        """Leave what was not saved; the journal is kept under another name, which is returned."""
        segment, recovery = self._waiting()
        kept = set_aside(segment.path, "discarded")
        self._audit.note(_now(), self.drawing.reader, "discard", f"{recovery.n_edits} steps, kept in {kept.name}")
        self._resume()
        self._begin()
        self.tick()
        return kept

    def tick(self) -> str:
        """Have the journal on disk and say that we are still there; returns `problem`."""
        if self._lock is None:
            return self.problem
        try:
            other = self._lock.beat()
            if other is not None:
                self._lose(other)
                return self.problem
            with self._busy:
                self._journal.flush()
                self._audit.flush()
            self.problem = ""
        except OSError as error:
            self.problem = _JOURNAL.format(why=error.strerror)
        return self.problem

    def save(self) -> tuple[Path, ...]:
        """Write every file that changed; returns them.

        Raises
        ------
        InputError
            When somebody else changed a file since it was read, it cannot be written, or we do not hold the lock. The
            drawing stays as it is, in memory and in the journal, and the next `save` tries again.
        """
        return self.prepare_save()()

    def prepare_save(self) -> Callable[[], tuple[Path, ...]]:
        """Take a snapshot; the returned function writes it as `save` does, in any thread."""
        if self._lock is None or self.recovery is not None:
            raise InputError(self.drawing.read_only or "this drawing is closed")
        if not self.unsaved:
            return lambda: ()
        with self._busy:
            snapshot, changes = self._snapshot(), dict(self._changes)
            number = self._first + self._journal.n_steps
            history = (self.drawing.history.done, self.drawing.history.undone)

        def write() -> tuple[Path, ...]:
            with self._saving:
                self.tick()
                if self._lock is None:
                    raise InputError(self.drawing.read_only)
                n_steps = number - self._first
                return self._write(snapshot, changes, n_steps, history) if n_steps > self._n_saved else ()

        return write

    def save_aside(self, name: str) -> tuple[Path, ...]:
        """Write everything that was drawn under another name, such as ``desc-lesionsAB_dseg``; returns the files.

        Parameters
        ----------
        name
            Letters and digits.

        Raises
        ------
        InputError
            When the name cannot be used, or files of that name are there already.
        """
        return write_aside(self.places, self._snapshot(), name)

    def close(self) -> None:
        """Let go of the patient. What was not saved stays in the journal and is offered at the next opening."""
        if self._lock is None:
            return
        self.tick()
        self.drawing.read_only = "this drawing is closed; open the patient again"
        with self._busy:
            self._journal.close()
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    def _note(self, edit: Edit, how: How) -> None:
        with self._busy:
            if self._journal.path is None and not self._journal.n_steps:
                self._begin()
            step = self._journal.add(how, edit, self.drawing.reader)
            self._audit.step(step, edit, f"{self._journal.segment_id}-{self._journal.n_steps}")
            for change in edit.voxels:
                self._changes[change.plane] = self._changes.get(change.plane, 0) + 1

    def _begin(self, history: History = ((), ()), steps: Iterable[Step] = (), *, n_audited: int = 0) -> bool:
        """Begin a segment of the journal; where it cannot be written, that is told and `tick` tries again."""
        grids = {plane: self.drawing.grid(plane) for plane in self.drawing.planes}
        try:
            self._journal.begin(head_of(self._files, grids, n_audited=n_audited), history, steps)
        except OSError as error:
            self.problem = _JOURNAL.format(why=error.strerror)
            return False
        return True

    def _waiting(self) -> tuple[Segment, Recovery]:
        if self._segment is None or self.recovery is None or self._lock is None:
            raise InputError("nothing waits to be recovered here")
        return self._segment, self.recovery

    def _resume(self) -> None:
        self._segment, self.recovery, self.drawing.read_only = None, None, ""

    def _lose(self, other: Holder) -> None:
        """Go on without the lock: another window took the patient while this one was silent."""
        self._lock, self.held_by = None, other
        self._journal.close()
        self.problem = self.drawing.read_only = (
            f"{other.sentence}, taken while this window was silent; {self.unsaved} steps are unsaved here: save them "
            "under another name"
        )

    def _snapshot(self) -> Snapshot:
        drawing = self.drawing
        return Snapshot(
            {plane: drawing.labels(plane).copy() for plane in self._changes},
            {plane: drawing.grid(plane) for plane in self._changes},
            {plane: self._source(plane) for plane in self._changes},
            drawing.lesions,
            drawing.follow_ups,
            self._more,
        )

    def _source(self, plane: Plane) -> str:
        """BIDS address of the image that a plane was drawn on."""
        on_flair = plane.kind == PlaneKind.FLAIR
        path = (
            self.maps.session(plane.session).contrasts["FLAIR"] if on_flair else magnitude_files(self.maps.baseline)[0]
        )
        return bids_uri(self.study.root)(path)

    def _write(
        self, snapshot: Snapshot, changes: Mapping[Plane, int], n_steps: int, history: History
    ) -> tuple[Path, ...]:
        intended: dict[str, FileState] = {}

        def announce(files: Mapping[str, FileState]) -> None:
            intended.update(files)
            with self._busy:
                self._audit.flush()
                self._journal.announce(n_steps, {name: state.sha256 for name, state in files.items()})

        before = self._files
        try:
            if not self._described:
                write_dataset_description(self.places.root, self.study.root)
                self._described = True
            self._files = write_snapshot(self.places, snapshot, before, announce)
        except OSError as error:
            self._files = before | {
                name: state
                for name, state in intended.items()
                if state != before.get(name) and fingerprint(self.places.home / name) == state.sha256
            }
            raise InputError(
                f"the drawing could not be saved ({error.strerror or error}); it is kept in memory and in the journal: "
                "free some space or make the folder writable and save again"
            ) from None
        written = tuple(
            self.places.home / name for name, state in self._files.items() if before.get(name, FileState("")) != state
        )
        with self._busy:
            self._changes = {plane: n for plane, n in self._changes.items() if n != changes.get(plane)}
            self._audit.note(_now(), self.drawing.reader, "save", f"{n_steps - self._n_saved} steps")
            self._n_saved = n_steps
            later = self._journal.steps[n_steps:]
            if self._begin(history, later, n_audited=len(later)):
                self._first, self._n_saved = self._first + n_steps, 0
            self.tick()
        return written


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
