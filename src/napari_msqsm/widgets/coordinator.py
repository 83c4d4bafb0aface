"""What the panels of one window share: the open study, the task list, and the way to the layers."""

from __future__ import annotations

import traceback
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QCoreApplication, QEvent, QObject, QSettings, QTimer, Signal

from napari_msqsm.widgets import layers
from napari_msqsm.widgets.images import images_of
from napari_msqsm.workflow.opening import new_workspace
from napari_msqsm.workflow.outcome import Outcome
from napari_msqsm.workflow.tasks import Task, TaskList, TaskState, error_sentence

if TYPE_CHECKING:
    from napari import Viewer
    from qtpy.QtWidgets import QMainWindow

    from napari_msqsm.model.gre_files import GreFiles
    from napari_msqsm.model.study import Session
    from napari_msqsm.widgets.import_work import ImportWork
    from napari_msqsm.widgets.workbench.work import WorkbenchWork
    from napari_msqsm.workspace.workspace import Reading, Workspace

_POLL_MS = 100
_LAST_FOLDER = "last_folder"
_OF_WINDOW: weakref.WeakValueDictionary[int, Coordinator] = weakref.WeakValueDictionary()
_DOCKED: set[Coordinator] = set()
"""Coordinators whose window is open; others live as long as a panel holds them."""


class Coordinator(QObject):
    """One for each window; closing a panel stops nothing, closing the window stops everything.

    Signals
    -------
    study_changed
        The study was opened, read again or closed.
    selection_changed
        Another session was selected.
    reading_changed
        Reading files began or ended.
    tasks_changed
        Some task was added or moved on; sent at most ten times a second.
    task_ended
        A task is over.
    failed
        Something did not work: one sentence, and the details.
    """

    study_changed = Signal()
    selection_changed = Signal()
    reading_changed = Signal()
    tasks_changed = Signal()
    task_ended = Signal(object)
    failed = Signal(str, str)
    _has_read = Signal(object)

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self.workspace: Workspace = new_workspace()
        self.tasks = TaskList()
        self._watched: list[Task] = []
        self._windows: set[int] = set()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="msqsm-reading")
        self._n_reading = 0
        self._is_shut = False
        self._importing: ImportWork | None = None
        self._workbench: WorkbenchWork | None = None
        self._last_opened = 0
        self._last_shown = 0
        self._has_read.connect(self._on_read)
        self.workspace.opened.connect(self._on_opened)
        self.workspace.selection_changed.connect(self._on_selected)
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._look_at_tasks)
        app = QCoreApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.shut_down)

    def open_study(self, root: Path, *, show: bool = False) -> None:
        """Open a BIDS folder beside the window, and show its first session where asked to.

        `failed` tells why when that does not work.
        """
        self._open(lambda: self.workspace.read(root), show=show)

    @property
    def last_folder(self) -> Path | None:
        """Folder of the study that was opened last, in this window or before; None when it is gone."""
        last = Path(str(_memory().value(_LAST_FOLDER, "")))
        return last if last.name and last.is_dir() else None

    def open_files(self, files: GreFiles, out_dir: Path) -> None:
        """Open the files of one scan beside the window."""
        self._open(lambda: self.workspace.read_files(files, out_dir))

    def open_made(self, make: Callable[[], Path]) -> None:
        """Open the BIDS folder that ``make`` writes or copies, beside the window, and show its first session."""
        self._open(lambda: self.workspace.read(make()), show=True)

    def refresh(self) -> None:
        """Read again what is open."""
        self._open(self.workspace.read_again)

    def run(self, title: str, work: Any) -> Task:
        """Queue long work; progress comes by `tasks_changed`."""
        task = self.tasks.add(title, work)
        self._watched.append(task)
        self._timer.start()
        self.tasks_changed.emit()
        return task

    def show_session(self, session: Session) -> None:
        """Read a session's images beside the window, then show them; of several, the last one asked for."""
        self._last_shown += 1
        turn = self._last_shown

        def done(images: Any) -> None:
            if turn == self._last_shown:
                layers.show_session(self._viewer, session.label, images)

        self.read_beside(lambda: images_of(session), done)

    def read_beside(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Do ``work`` in the reading thread, then ``done`` with its result in this one."""
        if self._is_shut:
            return

        def job() -> None:
            try:
                value, error = work(), None
            except Exception as raised:  # noqa: BLE001  told to the user, whatever it is
                value, error = None, raised
            if not self._is_shut:
                self._has_read.emit((done, value, error))

        self._n_reading += 1
        self._reader.submit(job)
        self.reading_changed.emit()

    @property
    def importing(self) -> ImportWork:
        """The DICOM import of this window; made when it is first asked for."""
        if self._importing is None:
            from napari_msqsm.widgets.import_work import ImportWork

            self._importing = ImportWork(self)
        return self._importing

    @property
    def workbench(self) -> WorkbenchWork:
        """The work on lesions in this window; made when it is first asked for."""
        if self._workbench is None:
            from napari_msqsm.widgets.workbench.work import WorkbenchWork

            self._workbench = WorkbenchWork(self._viewer, self)
        return self._workbench

    def remove_layers_below(self, folder: Path) -> None:
        """Take layers of files in a folder off the screen: the folder goes."""
        layers.remove_below(self._viewer, folder)

    @property
    def is_reading(self) -> bool:
        """Whether files are being read."""
        return self._n_reading > 0

    @property
    def is_watching(self) -> bool:
        """Whether some task is not over, or its end not yet told."""
        return bool(self._watched)

    def fail(self, error: BaseException) -> None:
        """Tell the user what went wrong."""
        self.failed.emit(error_sentence(error), "".join(traceback.format_exception(error)))

    def join(self, window: QMainWindow) -> None:
        """Take note of the window that a panel was docked in, to stop when it closes."""
        if not self._is_shut and id(window) not in self._windows:
            self._windows.add(id(window))
            window.installEventFilter(self)
            _DOCKED.add(self)

    def shut_down(self) -> None:
        """Stop everything that runs, and wait for it."""
        if self._is_shut:
            return
        if self._workbench is not None:
            self._workbench.close(anyway=True)
        self._is_shut = True
        _DOCKED.discard(self)
        if _OF_WINDOW.get(_window_of(self._viewer)) is self:
            del _OF_WINDOW[_window_of(self._viewer)]
        self._timer.stop()
        self._watched.clear()
        self.tasks.shut_down()
        self._reader.shutdown(wait=True, cancel_futures=True)
        if self._importing is not None:
            self._importing.close()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Shut down once the window has closed; a close that the user takes back changes nothing."""
        if event is not None and event.type() == QEvent.Type.Close:
            window = weakref.ref(watched)
            QTimer.singleShot(0, lambda: self._after_close(window()))
        return False

    def _after_close(self, window: Any) -> None:
        try:
            is_open = window is not None and window.isVisible()
        except RuntimeError:  # the window's C++ side is gone already
            is_open = False
        if not is_open:
            self.shut_down()

    def _open(self, read: Callable[[], Reading | None], *, show: bool = False) -> None:
        self._last_opened += 1
        turn = self._last_opened

        def done(reading: Reading | None) -> None:
            if reading is None or turn != self._last_opened:
                return
            self.workspace.take(reading)
            if reading.files is None:
                _memory().setValue(_LAST_FOLDER, str(reading.study.root))
            if show and self.workspace.selected is not None:
                self.show_session(self.workspace.selected)

        self.read_beside(read, done)

    def _on_read(self, result: Any) -> None:
        done, value, error = result
        self._n_reading -= 1
        if self._is_shut:
            return
        try:
            if error is None:
                done(value)
            else:
                self.fail(error)
        except Exception as raised:  # noqa: BLE001  told to the user, not raised into Qt
            self.fail(raised)
        self.reading_changed.emit()

    def _on_opened(self, _: object) -> None:
        self.study_changed.emit()

    def _on_selected(self, _: object) -> None:
        self.selection_changed.emit()

    def _look_at_tasks(self) -> None:
        over = [task for task in self._watched if task.is_over]
        for task in over:
            self._watched.remove(task)
        if not self._watched:
            self._timer.stop()
        self.tasks_changed.emit()
        for task in over:
            self.task_ended.emit(task)
            if task.state is TaskState.DONE and isinstance(task.result, Outcome):
                self._show_outcome(task.result)

    def _show_outcome(self, outcome: Outcome) -> None:
        """Read the study again, and show the new map where its session is still the selected one."""

        def done(reading: Reading | None) -> None:
            if reading is None or turn != self._last_opened:
                return
            self.workspace.take(reading)
            selected = self.workspace.selected
            if selected is not None and outcome.chimap in selected.derivatives.values():
                self.show_session(selected)

        self._last_opened += 1
        turn = self._last_opened
        self.read_beside(self.workspace.read_again, done)


def coordinator_of(viewer: Viewer) -> Coordinator:
    """Return the coordinator of a window; a new one when no panel holds one."""
    found = _OF_WINDOW.get(_window_of(viewer))
    if found is None:
        found = _OF_WINDOW[_window_of(viewer)] = Coordinator(viewer)
    return found


def open_study_panel(viewer: Viewer, root: Path) -> None:
    """Dock the Study panel, if it is not there, and open a folder in it once the event loop is back."""

    def open_it() -> None:
        _, panel = viewer.window.add_plugin_dock_widget("napari-msqsm", "Study")
        panel.coordinator.open_study(root, show=True)

    QTimer.singleShot(0, open_it)


def _memory() -> QSettings:
    return QSettings("napari-msqsm", "napari-msqsm")


def _window_of(viewer: Viewer) -> int:
    return id(getattr(viewer, "__wrapped__", viewer))  # a plugin is given a proxy of the viewer
