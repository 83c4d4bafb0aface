"""Work on the lesions of one patient in one window: the drawing, its images, the canvas, saving, the curve."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_msqsm.errors import InputError, MsqsmError
from napari_msqsm.widgets.initials import initials
from napari_msqsm.widgets.workbench.canvas import DrawingCanvas
from napari_msqsm.widgets.workbench.stage import Stage
from napari_msqsm.workflow.drawing.opening import open_drawing
from napari_msqsm.workflow.measure.live import CurvePoint, LiveCurve
from napari_msqsm.workflow.workbench.tracking import Tracked, track
from napari_msqsm.workspace.drawing.plane import PlaneKind

if TYPE_CHECKING:
    from pathlib import Path

    from napari import Viewer

    from napari_msqsm.widgets.coordinator import Coordinator
    from napari_msqsm.workflow.drawing.open_drawing import OpenDrawing
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing
    from napari_msqsm.workspace.drawing.edit import Edit

_TICK_MS = 1000
_CURVE_MS = 120
_TRACK_MS = 2500
_TICKS_TO_SAVE = 120


class WorkbenchWork(QObject):
    """One for each window; panels show it and send it to work.

    Signals
    -------
    opened
        A patient was opened or closed.
    changed
        The drawing changed.
    selected
        Another lesion was chosen, by label; 0 for none.
    curve_changed
        The curve of the chosen lesion was measured anew.
    tracked_changed
        What became of the lesions from session to session was looked at anew.
    told
        One sentence for the reader.
    """

    opened = Signal()
    changed = Signal()
    selected = Signal(int)
    curve_changed = Signal()
    tracked_changed = Signal()
    told = Signal(str)

    def __init__(self, viewer: Viewer, coordinator: Coordinator) -> None:
        super().__init__()
        self._coordinator = coordinator
        self.open: OpenDrawing | None = None
        self.canvas = DrawingCanvas(viewer, coordinator.read_beside)
        self.canvas.picked.connect(self.select)
        self.canvas.problem.connect(self.told.emit)
        self.curve: tuple[CurvePoint, ...] = ()
        self.tracked: Tracked | None = None
        self._live: LiveCurve | None = None
        self._turn = self._curve_turn = 0
        self._ticks = self._n_edits = 0
        self._problem = ""
        self._tick = self._timer(_TICK_MS, self._on_tick, once=False)
        self._curve_soon = self._timer(_CURVE_MS, self._measure)
        self._track_soon = self._timer(_TRACK_MS, self._track)

    @property
    def drawing(self) -> Drawing | None:
        """What is drawn on."""
        return None if self.open is None else self.open.drawing

    @property
    def maps(self) -> PatientMaps | None:
        """Images of the patient."""
        return None if self.open is None else self.open.maps

    @property
    def patient_id(self) -> str:
        """Who is open; empty for nobody."""
        return "" if self.open is None else self.open.drawing.patient_id

    @property
    def label(self) -> int:
        """Lesion that is chosen; 0 for none."""
        return self.canvas.label

    def open_patient(self, patient_id: str, then: Callable[[], None] | None = None) -> None:
        """Open a patient beside the window; one that is open is closed before, if it can be."""
        if patient_id == self.patient_id:
            if then is not None:
                then()
            return
        study = self._coordinator.workspace.study
        if study is None or not self.close():
            return
        self._turn += 1
        turn, who = self._turn, initials()

        def done(found: OpenDrawing) -> None:
            if turn != self._turn:
                found.close(anyway=True)
                return
            self._take(found)
            if then is not None:
                then()

        self._coordinator.read_beside(lambda: open_drawing(study, patient_id, reader=who), done)

    def close(self, *, anyway: bool = False) -> bool:
        """Save and let go of the patient; False where that did not work and the patient stays open."""
        if self.open is None:
            return True
        found = self.open
        self.canvas.flush()
        try:
            if found.unsaved and not found.drawing.read_only:
                found.save()
        except (OSError, MsqsmError) as error:
            self.told.emit(f"{error}; what is not saved is kept in the journal and offered at the next opening")
        try:
            found.close(anyway=anyway)
        except InputError as error:
            self.told.emit(str(error))
            return False
        for timer in (self._tick, self._curve_soon, self._track_soon):
            timer.stop()
        found.drawing.changed.disconnect(self._on_changed)
        self.canvas.close()
        self.open, self._live, self.tracked, self.curve = None, None, None, ()
        self._turn += 1
        self.opened.emit()
        return True

    def recover(self) -> None:
        """Do again what was not saved the last time."""
        if self.open is not None:
            self._attempt(self.open.recover)
            self.opened.emit()

    def set_aside(self) -> None:
        """Leave what was not saved the last time; it is kept under another name."""
        if self.open is not None:
            found = self.open
            self._attempt(lambda: self.told.emit(f"kept aside: {found.discard().name}"))
            self.opened.emit()

    def save(self) -> None:
        """Write what changed: a snapshot is taken now and written beside the window."""
        if self.open is None or not self.open.unsaved or self.open.drawing.read_only:
            return
        self.canvas.flush()
        self._ticks = 0
        found = self.open

        def done(files: tuple[Path, ...]) -> None:
            if files and self.open is found:
                self.changed.emit()

        try:
            write = found.prepare_save()
        except (OSError, MsqsmError) as error:
            self.told.emit(str(error))
            return
        self._coordinator.read_beside(write, done)

    def select(self, label: int) -> None:
        """Choose a lesion; what was drawn of the one before is saved."""
        if self.drawing is None or label == self.label:
            return
        self.save()
        self.canvas.select(label)
        self.curve = ()
        self.selected.emit(label)
        self.curve_changed.emit()
        self._curve_soon.start()

    def apply(self, make: Callable[[], Edit]) -> bool:
        """Make an edit and carry it out; the reader is told why where that is refused."""
        drawing = self.drawing
        if drawing is None:
            return False
        self.canvas.flush()
        return self._attempt(lambda: drawing.apply(make()))

    def show(self, stage: Stage, session: str, *, jump: bool = False) -> None:
        """Show a stage of a session, and go to the chosen lesion where asked."""
        self.canvas.show(stage, session, (lambda: self.canvas.jump_to(self.label)) if jump and self.label else None)

    def jump(self, patient_id: str, lesion_id: str, session_id: str) -> None:
        """Open a patient and go to a lesion at a session; names as in the lesion table."""

        def there() -> None:
            drawing, maps = self.drawing, self.maps
            if drawing is None or maps is None:
                return
            lesion = next((each for each in drawing.lesions if each.lesion_id == lesion_id), None)
            ends = session_id.removeprefix("ses-")
            session = next((each.label for each in maps.sessions if each.session_id == ends), maps.baseline.label)
            if lesion is None:
                self.told.emit(f"sub-{patient_id} has no lesion {lesion_id}")
                return
            self.select(lesion.label)
            self.show(Stage.QSM, session, jump=True)

        self.open_patient(patient_id.removeprefix("sub-"), there)

    def renew_images(self) -> None:
        """Files have changed: read images and alignments again."""
        if self.open is not None:
            self.open.maps.forget()
            self.canvas.forget_images()
            self._live = LiveCurve(self.open.drawing, self.open.maps)
            self._curve_soon.start()

    def _take(self, found: OpenDrawing) -> None:
        self.open = found
        self._problem = ""
        found.drawing.changed.connect(self._on_changed)
        self.canvas.open(found.drawing, found.maps)
        self._live = LiveCurve(found.drawing, found.maps)
        self._tick.start()
        self._track_soon.start(0)
        self.opened.emit()
        for note in found.drawing.notes:
            self.told.emit(note)

    def _on_changed(self, edit: Edit, _: str) -> None:
        self._n_edits += 1
        self.changed.emit()
        self._curve_soon.start()
        if any(change.plane.kind is PlaneKind.FLAIR for change in edit.voxels):
            self._track_soon.start(_TRACK_MS)

    def _on_tick(self) -> None:
        if self.open is None:
            return
        problem = self.open.tick()
        if problem and problem != self._problem:
            self.told.emit(problem)
        self._problem = problem
        self._ticks += 1
        if self._ticks >= _TICKS_TO_SAVE:
            self.save()

    def _measure(self) -> None:
        live, label, drawing = self._live, self.label, self.drawing
        if live is None or drawing is None or drawing.lesion(label) is None:
            self.curve = ()
            self.curve_changed.emit()
            return
        self._curve_turn += 1
        turn = self._curve_turn

        def done(points: tuple[CurvePoint, ...] | str | None) -> None:
            if turn != self._curve_turn or label != self.label:
                return
            if points is None:  # it was drawn on meanwhile
                self._curve_soon.start()
            elif isinstance(points, str):
                self.told.emit(points)
            else:
                self.curve = points
                self.curve_changed.emit()

        def measured() -> tuple[CurvePoint, ...] | str | None:
            edits = self._n_edits
            found: tuple[CurvePoint, ...] | str | None = _undisturbed(lambda: live.curve(label))
            if edits != self._n_edits:  # what was found of the references may be of the drawing before
                live.forget_regions()
            return found

        self._coordinator.read_beside(measured, done)

    def _track(self) -> None:
        drawing, maps = self.drawing, self.maps
        if drawing is None or maps is None:
            return

        def done(found: Tracked | str | None) -> None:
            if drawing is not self.drawing:
                return
            if found is None:
                self._track_soon.start(_TRACK_MS)
            elif isinstance(found, str):
                self.told.emit(found)
            else:
                self.tracked = found
                self.tracked_changed.emit()

        self._coordinator.read_beside(lambda: _undisturbed(lambda: track(drawing, maps)), done)

    def _attempt(self, work: Callable[[], object]) -> bool:
        try:
            work()
        except (OSError, MsqsmError) as error:
            self.told.emit(str(error))
            return False
        return True

    def _timer(self, ms: int, slot: Callable[[], None], *, once: bool = True) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(once)
        timer.setInterval(ms)
        timer.timeout.connect(slot)
        return timer


def _undisturbed(work: Callable[[], Any]) -> Any:
    """Look at a drawing from another thread; None where it was drawn on meanwhile, a sentence where it is refused."""
    try:
        return work()
    except RuntimeError as error:
        return str(error) if isinstance(error, MsqsmError) else None
    except MsqsmError as error:
        return str(error)
