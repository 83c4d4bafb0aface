"""A drawing that is open: every edit goes to the journal, and the files are written when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError
from napari_msqsm.workflow.drawing.aside import write_aside
from napari_msqsm.workflow.drawing.keeping import Keeping
from napari_msqsm.workflow.drawing.leftovers import keep_damaged, remove_leftovers, set_aside
from napari_msqsm.workflow.drawing.recovery import recover, settled_history
from napari_msqsm.workspace.drawing.segment import Step, carried_out

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_msqsm.model.study import Study
    from napari_msqsm.workflow.drawing.places import Places
    from napari_msqsm.workflow.drawing.recovery import Recovery
    from napari_msqsm.workflow.drawing.stored import Stored
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing
    from napari_msqsm.workspace.drawing.edit import Edit
    from napari_msqsm.workspace.drawing.lock import Holder, Lock
    from napari_msqsm.workspace.drawing.segment import Segment


class OpenDrawing:
    """Made by `napari_msqsm.workflow.drawing.opening.open_drawing`.

    Attributes
    ----------
    drawing : Drawing
        To draw on; each of its edits is in the journal when ``apply`` or ``take`` returns. ``drawing.read_only`` says
        why nothing can be drawn, ``drawing.notes`` what was assumed in reading it.
    maps : PatientMaps
        Images of the patient.
    held_by : Holder or None
        Who has the patient open elsewhere; None where we hold the lock (or the folder cannot be written to).
    recovery : Recovery or None
        What was not saved last time, until `recover` or `discard` is called.

    Notes
    -----
    `tick` wants to be called every second, `save` on every change of lesion and when asked, `close` at the end. All
    belong in the thread that draws; what `prepare_save` returns may run in another one while the drawing goes on.
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
        self.maps, self.places, self.drawing = maps, places, drawing
        self.held_by, self.recovery = held_by, recovery
        self._lock, self._segment = lock, segment
        self._keeping = Keeping(study, maps, places, drawing, stored)
        if lock is None:
            return
        remove_leftovers(places, drawing.planes)
        damaged = keep_damaged(places.journal, segment, copy=recovery is None)
        if damaged:
            drawing.notes += (f"a part of the journal cannot be read; it is kept as {', '.join(damaged)}",)
        if recovery is not None:
            drawing.read_only = f"{recovery.sentence}; recover them or set them aside first"
        elif stored.files or segment is not None:
            history = ((), ()) if segment is None else settled_history(segment, stored.files)
            drawing.history.replace(*history)
            self._keeping.begin(history)
        drawing.record = self._keeping.note

    @property
    def unsaved(self) -> int:
        """Number of steps that the files do not hold."""
        return self._keeping.unsaved

    @property
    def problem(self) -> str:
        """Why steps are in memory only, one sentence; empty where they are on disk."""
        return self._keeping.problem

    def recover(self) -> Edit:
        """Do again what was not saved; returns what changed in all, which ``drawing.changed`` has told as well.

        Raises
        ------
        InputError
            When it does not fit on the images or files any more; it is kept.
        """
        segment, recovery = self._waiting()
        keeping, newer = self._keeping, bool(recovery.changed_files)
        if segment.n_dropped_bytes:
            set_aside(segment.path, "damaged", copy=True)
        whole = recover(self.drawing, segment, on_newer_files=newer)
        done, identity = carried_out(segment), segment.head["id"]
        n_audited = max(segment.head["n_audited"], keeping.audit.steps_of(identity))
        for number, (step, edit) in enumerate(done, start=segment.n_left_out + 1):
            if number > n_audited:
                keeping.audit.step(step, edit, f"{identity}-{number}")
        keeping.remark("recover", f"{recovery.n_edits} steps")
        keeping.mark(edit for _, edit in done)
        self._resume()
        if newer:
            keeping.begin(steps=(Step("do", whole, whole.by, whole.at),) * (not whole.is_empty), n_audited=1)
        else:
            keeping.begin((segment.done, segment.undone), segment.steps, n_audited=len(done))
        self.tick()
        self.drawing.changed.emit(whole, "do")
        return whole

    def discard(self) -> Path:
        """Leave what was not saved; the journal is kept under another name, which is returned."""
        segment, recovery = self._waiting()
        kept = set_aside(segment.path, "discarded")
        self._keeping.remark("discard", f"{recovery.n_edits} steps, kept in {kept.name}")
        self._resume()
        self._keeping.begin()
        self.tick()
        return kept

    def tick(self) -> str:
        """Have the journal on disk and say that we are still there; returns `problem`."""
        if self._lock is None:
            return self.problem
        try:
            other = self._lock.beat()
        except OSError:
            other = None  # a disk that does not answer takes no lock away; the journal tells
        if other is not None:
            self._lose(other)
        else:
            self._keeping.flush()
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
            raise InputError(self.drawing.read_only)
        return self._keeping.prepare(self._refuse_without_lock) if self.unsaved else lambda: ()

    def save_aside(self, name: str) -> tuple[Path, ...]:
        """Write what was not saved under another name, such as ``desc-lesionsAB_dseg``; returns the files.

        Every plane that changed since it was saved is written whole, and both tables; nothing is read from there again.

        Parameters
        ----------
        name
            Letters and digits.

        Raises
        ------
        InputError, ParameterError
            When the name cannot be used, or files of that name are there already.
        """
        return write_aside(self.places, self._keeping.snapshot(), name)

    def close(self, *, anyway: bool = False) -> None:
        """Let go of the patient. What was not saved stays in the journal and is offered at the next opening.

        Parameters
        ----------
        anyway
            Whether steps that are in memory only may be lost.

        Raises
        ------
        InputError
            When there are such, since the journal cannot be written; the patient stays open.
        """
        if self._lock is None:
            return
        self.tick()
        if self.problem and self.unsaved and not anyway:
            raise InputError(self.problem)
        self.drawing.read_only = "this drawing is closed; open the patient again"
        if self.recovery is None and not self.unsaved and self._keeping.journal.path is not None:
            self._keeping.begin()  # what is closed and saved is not taken back later
        self._keeping.journal.close()
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    def _waiting(self) -> tuple[Segment, Recovery]:
        if self._segment is None or self.recovery is None or self._lock is None:
            raise InputError("nothing waits to be recovered here")
        return self._segment, self.recovery

    def _resume(self) -> None:
        self._segment, self.recovery, self.drawing.read_only = None, None, ""

    def _refuse_without_lock(self) -> None:
        self.tick()
        if self._lock is None:
            raise InputError(self.drawing.read_only)

    def _lose(self, other: Holder) -> None:
        """Go on without the lock: another window took the patient while this one was silent."""
        self._lock, self.held_by = None, other
        self._keeping.journal.close()
        self._keeping.problem = self.drawing.read_only = (
            f"{other.sentence}, taken while this window was silent; what is unsaved here can be saved under another "
            "name"
        )
