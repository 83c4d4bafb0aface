"""Keep a drawing: every step in the journal and the audit log as it happens, the files when they are saved."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError
from napari_msqsm.workflow.coregistration.pairs import magnitude_files
from napari_msqsm.workflow.derivatives import write_dataset_description
from napari_msqsm.workflow.drawing.plane_files import fingerprint
from napari_msqsm.workflow.drawing.recovery import head_of
from napari_msqsm.workflow.drawing.saving import Snapshot, write_snapshot
from napari_msqsm.workflow.provenance import bids_uri
from napari_msqsm.workspace.drawing.audit import Audit
from napari_msqsm.workspace.drawing.journal import Journal
from napari_msqsm.workspace.drawing.plane import PlaneKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from napari_msqsm.model.study import Study
    from napari_msqsm.workflow.drawing.places import Places
    from napari_msqsm.workflow.drawing.stored import FileState, Stored
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing, How
    from napari_msqsm.workspace.drawing.edit import Edit
    from napari_msqsm.workspace.drawing.journal import History
    from napari_msqsm.workspace.drawing.plane import Plane
    from napari_msqsm.workspace.drawing.segment import Step

_JOURNAL = (
    "the journal cannot be written ({why}); what you draw now is in memory only: free some space or make the folder "
    "writable"
)


class Keeping:
    """Journal, audit log and files of a drawing.

    Parameters
    ----------
    study, maps, places, drawing
        Of the patient.
    stored
        The files as they were read.

    Attributes
    ----------
    problem : str
        Why the journal could not be written last time, one sentence; empty where it was.
    """

    def __init__(self, study: Study, maps: PatientMaps, places: Places, drawing: Drawing, stored: Stored) -> None:
        self.study, self.maps, self.places, self.drawing = study, maps, places, drawing
        self.problem = ""
        self.journal, self.audit = Journal(places.journal), Audit(places.audit)
        self.files: Mapping[str, FileState] = dict(stored.files)
        self._more = stored.more
        self._changes: dict[Plane, int] = {}
        self._first = self._n_saved = 0
        """Steps before the segment of the journal, and of the segment those that the files hold."""
        self._described = False
        self._busy = threading.RLock()
        self._saving = threading.Lock()

    @property
    def unsaved(self) -> int:
        """Number of steps that the files do not hold."""
        return self.journal.n_steps - self._n_saved

    def begin(self, history: History = ((), ()), steps: Iterable[Step] = (), *, n_audited: int = 0) -> bool:
        """Begin a segment of the journal; where it cannot be written, that is told and `flush` tries again."""
        grids = {plane: self.drawing.grid(plane) for plane in self.drawing.planes}
        try:
            self.journal.begin(head_of(self.files, grids, n_audited=n_audited), history, steps)
        except OSError as error:
            self.problem = _JOURNAL.format(why=error.strerror or error)
            return False
        return True

    def note(self, edit: Edit, how: How) -> None:
        """Write a step down."""
        with self._busy:
            if self.journal.path is None and not self.journal.n_steps:
                self.begin()
            step = self.journal.add(how, edit, self.drawing.reader)
            self.audit.step(step, edit, f"{self.journal.segment_id}-{self.journal.n_steps}")
            self.mark((edit,))

    def mark(self, edits: Iterable[Edit]) -> None:
        """Take note of planes that the files do not hold any more."""
        for change in (change for edit in edits for change in edit.voxels):
            self._changes[change.plane] = self._changes.get(change.plane, 0) + 1

    def remark(self, action: str, what: str) -> None:
        """Keep a row of the audit log that is no step."""
        self.audit.note(_now(), self.drawing.reader, action, what)

    def flush(self) -> None:
        """Have journal and audit log on disk; where that cannot be, it is told in `problem` and tried next time."""
        try:
            with self._busy:
                self.journal.flush()
                self.audit.flush()
            self.problem = ""
        except OSError as error:
            self.problem = _JOURNAL.format(why=error.strerror or error)

    def snapshot(self) -> Snapshot:
        """Copy of every plane that changed since it was saved, and the tables."""
        drawing = self.drawing
        return Snapshot(
            {plane: drawing.labels(plane).copy() for plane in self._changes},
            {plane: drawing.grid(plane) for plane in self._changes},
            {plane: self._source(plane) for plane in self._changes},
            drawing.lesions,
            drawing.follow_ups,
            self._more,
        )

    def prepare(self, may_write: Callable[[], None]) -> Callable[[], tuple[Path, ...]]:
        """Take a snapshot; the returned function writes it.

        Parameters
        ----------
        may_write
            Called before the first file is written; raises where none may be.
        """
        with self._busy:
            snapshot, changes = self.snapshot(), dict(self._changes)
            number = self._first + self.journal.n_steps
            history = (self.drawing.history.done, self.drawing.history.undone)

        def write() -> tuple[Path, ...]:
            with self._saving:
                may_write()
                n_steps = number - self._first
                if n_steps <= self._n_saved:
                    return ()  # a later snapshot was faster
                before = self.files
                self._write(snapshot, n_steps)
                self._begin_after(changes, n_steps, history)
                return tuple(self.places.home / name for name, state in self.files.items() if before.get(name) != state)

        return write

    def _write(self, snapshot: Snapshot, n_steps: int) -> None:
        intended: dict[str, FileState] = {}

        def announce(files: Mapping[str, FileState]) -> None:
            intended.update(files)
            with self._busy:
                self.audit.flush()
                self.journal.announce(n_steps, {name: state.sha256 for name, state in files.items()})

        before = self.files
        try:
            if not self._described:
                write_dataset_description(self.places.root, self.study.root)
                self._described = True
            self.files = write_snapshot(self.places, snapshot, before, announce)
        except OSError as error:
            in_place = {
                name: state
                for name, state in intended.items()
                if state != before.get(name) and fingerprint(self.places.home / name) == state.sha256
            }
            self.files = {**before, **in_place}
            raise InputError(
                f"the drawing could not be saved ({error.strerror or error}); it is kept in memory and in the journal: "
                "free some space or make the folder writable and save again"
            ) from None

    def _begin_after(self, changes: Mapping[Plane, int], n_steps: int, history: History) -> None:
        """Begin the segment that follows a save, with what was done while the files were written."""
        with self._busy:
            self._changes = {plane: n for plane, n in self._changes.items() if n != changes.get(plane)}
            self.remark("save", f"{n_steps - self._n_saved} steps")
            self._n_saved = n_steps
            later = self.journal.steps[n_steps:]
            if self.begin(history, later, n_audited=len(later)):
                self._first, self._n_saved = self._first + n_steps, 0
            self.flush()

    def _source(self, plane: Plane) -> str:
        """BIDS address of the image that a plane was drawn on."""
        if plane.kind == PlaneKind.FLAIR:
            path = self.maps.session(plane.session).contrasts["FLAIR"]
        else:
            path = magnitude_files(self.maps.baseline)[0]
        return bids_uri(self.study.root)(path)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
