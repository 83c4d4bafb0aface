"""What the panels of one window share: the open study, the task list, and the way to the layers."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.qt.threading import thread_worker
from qtpy.QtCore import QObject, QTimer, Signal

from napari_msqsm.widgets import layers
from napari_msqsm.widgets.images import images_of
from napari_msqsm.workflow.opening import new_workspace
from napari_msqsm.workflow.tasks import Task, TaskList, error_sentence

if TYPE_CHECKING:
    from napari import Viewer

    from napari_msqsm.model.study import Session
    from napari_msqsm.workspace.workspace import Workspace

_POLL_MS = 100
_OF_WINDOW: weakref.WeakValueDictionary[int, Coordinator] = weakref.WeakValueDictionary()
"""Coordinators that a panel still holds, by window."""


class Coordinator(QObject):
    """One for each window; the panels hold it, and it goes with the last of them.

    Signals
    -------
    study_changed
        The study was opened, read again or closed.
    selection_changed
        Another session was selected.
    tasks_changed
        Some task was added or moved on; sent at most ten times a second.
    task_ended
        A task is over.
    failed
        Something did not work: one sentence, and the details.
    """

    study_changed = Signal()
    selection_changed = Signal()
    tasks_changed = Signal()
    task_ended = Signal(object)
    failed = Signal(str, str)

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self.workspace: Workspace = new_workspace()
        self.tasks = TaskList()
        self._watched: list[Task] = []
        self._workers: list[Any] = []
        self.workspace.opened.connect(self._on_opened)
        self.workspace.selection_changed.connect(self._on_selected)
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._look_at_tasks)

    def open_study(self, root: Path) -> bool:
        """Open a BIDS folder; False, and `failed` tells why, when that does not work."""
        try:
            self.workspace.open(root)
        except Exception as error:  # noqa: BLE001  whatever is wrong with a folder is told, not raised into Qt
            self.fail(error)
            return False
        return True

    def refresh(self) -> None:
        """Read the folder again."""
        try:
            self.workspace.refresh()
        except Exception as error:  # noqa: BLE001
            self.fail(error)

    def run(self, title: str, work: Any) -> Task:
        """Queue long work; progress comes by `tasks_changed`."""
        task = self.tasks.add(title, work)
        self._watched.append(task)
        self._timer.start()
        self.tasks_changed.emit()
        return task

    def show_session(self, session: Session) -> None:
        """Read a session's images in the background, then show them."""

        @thread_worker  # type: ignore[untyped-decorator]
        def read() -> Any:
            return images_of(session)

        worker = read()
        self._workers.append(worker)

        def done(images: Any) -> None:
            layers.show(self._viewer, images)
            layers.only_session(self._viewer, session.label)

        worker.returned.connect(done)
        worker.errored.connect(self.fail)
        worker.finished.connect(lambda: self._workers.remove(worker))
        worker.start()

    @property
    def is_reading(self) -> bool:
        """Whether images are being read."""
        return bool(self._workers)

    def fail(self, error: BaseException) -> None:
        """Tell the user what went wrong."""
        import traceback

        self.failed.emit(error_sentence(error), "".join(traceback.format_exception(error)))

    def shut_down(self) -> None:
        """Stop everything that runs."""
        self._timer.stop()
        self.tasks.shut_down()
        for worker in list(self._workers):
            worker.quit()

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


def coordinator_of(viewer: Viewer) -> Coordinator:
    """Return the coordinator of a window; a new one when no panel holds one."""
    window = id(getattr(viewer, "__wrapped__", viewer))  # a plugin is given a proxy of the viewer
    found = _OF_WINDOW.get(window)
    if found is None:
        found = _OF_WINDOW[window] = Coordinator(viewer)
    return found


def open_study_panel(viewer: Viewer, root: Path) -> None:
    """Dock the Study panel, if it is not there, and open a folder in it once the event loop is back."""

    def open_it() -> None:
        _, panel = viewer.window.add_plugin_dock_widget("napari-msqsm", "Study")
        panel.coordinator.open_study(root)

    QTimer.singleShot(0, open_it)
