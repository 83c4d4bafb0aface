"""A page that shows one task: what it does, time left, cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_msqsm.widgets.task_view import TaskRow

if TYPE_CHECKING:
    from napari_msqsm.widgets.coordinator import Coordinator
    from napari_msqsm.workflow.tasks import Task


class ProgressPage(QWidget):
    """Follows a task while it is on screen."""

    def __init__(self, coordinator: Coordinator) -> None:
        super().__init__()
        self.row: TaskRow | None = None
        self._task: Task | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addStretch(1)
        coordinator.tasks_changed.connect(self._renew)

    def show_task(self, task: Task | None) -> None:
        """Follow another task."""
        if task is self._task:
            return
        if self.row is not None:
            self._column.removeWidget(self.row)
            self.row.deleteLater()
            self.row = None
        self._task = task
        if task is not None:
            self.row = TaskRow(task)
            self._column.insertWidget(0, self.row)
        self._renew()

    def _renew(self) -> None:
        if self.row is not None:
            self.row.renew()
