"""The task list on screen: progress, time left, cancel, and what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_msqsm.widgets.words import task_words
from napari_msqsm.workflow.tasks import TaskState

if TYPE_CHECKING:
    from napari_msqsm.widgets.coordinator import Coordinator
    from napari_msqsm.workflow.tasks import Task

_SHOWN = 4


class TaskView(QWidget):
    """The last few tasks, the newest on top."""

    def __init__(self, coordinator: Coordinator) -> None:
        super().__init__()
        self._coordinator = coordinator
        self._rows: dict[int, TaskRow] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        coordinator.tasks_changed.connect(self.renew)
        self.renew()

    def renew(self) -> None:
        """Show the tasks as they are now."""
        tasks = list(self._coordinator.tasks)[-_SHOWN:]
        for key in set(self._rows) - {id(task) for task in tasks}:
            row = self._rows.pop(key)
            self._column.removeWidget(row)
            row.deleteLater()
        for task in tasks:
            if id(task) not in self._rows:
                self._rows[id(task)] = TaskRow(task)
                self._column.insertWidget(0, self._rows[id(task)])
            self._rows[id(task)].renew()

    @property
    def rows(self) -> list[TaskRow]:
        """Rows of the tasks shown, the oldest first."""
        return list(self._rows.values())


class TaskRow(QWidget):
    """One task."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self._task = task
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 2)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(task.cancel)
        line = QHBoxLayout()
        line.addWidget(self.bar, 1)
        line.addWidget(self.cancel)
        column.addWidget(self.words)
        column.addLayout(line)
        self.report = ErrorReport()
        column.addWidget(self.report)

    def renew(self) -> None:
        """Show the task as it is now."""
        task = self._task
        self.words.setText(task_words(task))
        self.bar.setValue(round(1000 * task.fraction))
        self.bar.setVisible(not task.is_over)
        self.cancel.setVisible(not task.is_over)
        self.cancel.setEnabled(not task.cancel_requested)
        self.report.setVisible(task.state is TaskState.FAILED)
        if task.state is TaskState.FAILED:
            self.report.set_report(task.error, task.details)


class ErrorReport(QWidget):
    """*Show details* and *Copy report* of an error whose sentence stands above."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setVisible(False)
        show = QToolButton()
        show.setText("Show details")
        show.setCheckable(True)
        show.toggled.connect(self.details.setVisible)
        self.copy = QToolButton()
        self.copy.setText("Copy report")
        self.copy.clicked.connect(self._copy)
        line = QHBoxLayout()
        line.addWidget(show)
        line.addWidget(self.copy)
        line.addStretch(1)
        column.addLayout(line)
        column.addWidget(self.details)
        self._text = ""

    def set_report(self, sentence: str, details: str) -> None:
        """Take a sentence and a traceback."""
        from napari_msqsm import __version__

        text = f"napari-msqsm {__version__}\n{sentence}\n\n{details}"
        if text != self._text:
            self._text = text
            self.details.setPlainText(text)

    def _copy(self) -> None:
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self._text)
