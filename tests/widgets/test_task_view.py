"""The task list on screen, without a viewer."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QApplication, QToolButton

from napari_msqsm import __version__
from napari_msqsm.errors import InputError
from napari_msqsm.widgets.task_view import ErrorReport, TaskView
from napari_msqsm.workflow.tasks import TaskList

pytestmark = pytest.mark.gui


class Source(QObject):
    """What a view needs of a coordinator."""

    tasks_changed = Signal()

    def __init__(self):
        super().__init__()
        self.tasks = TaskList()


@pytest.fixture
def source():
    made = Source()
    yield made
    assert made.tasks.shut_down()


@pytest.fixture
def view(qtbot, source):
    made = TaskView(source)
    qtbot.addWidget(made)
    return made


def done(on_progress, cancel):
    on_progress("Unwrapping", 0.5)


def test_tasks_appear_and_the_newest_is_on_top(source, view):
    for title in ("first", "second"):
        assert source.tasks.add(title, done).wait(5)
    source.tasks_changed.emit()
    assert [row.words.text() for row in view.rows] == ["first: done in 0:00", "second: done in 0:00"]
    assert view.layout().itemAt(0).widget() is view.rows[1]
    assert all(row.bar.isHidden() and row.cancel.isHidden() for row in view.rows)


def test_only_the_last_tasks_are_kept_on_screen(source, view):
    for number in range(7):
        assert source.tasks.add(f"task {number}", done).wait(5)
        source.tasks_changed.emit()
    assert [row.words.text().partition(":")[0] for row in view.rows] == [f"task {n}" for n in range(3, 7)]


def test_words_are_plain_text_and_wrap(source, view):
    def fails(on_progress, cancel):
        raise InputError("<b>scan</b>.nii is not an image")

    assert source.tasks.add("one", fails).wait(5)
    source.tasks_changed.emit()
    words = view.rows[0].words
    assert words.textFormat() == Qt.TextFormat.PlainText
    assert "<b>scan</b>" in words.text()
    assert words.wordWrap()


def test_a_report_shows_its_details_and_can_be_copied(qtbot):
    report = ErrorReport()
    qtbot.addWidget(report)
    report.show()
    report.set_report("no image", "Traceback: line 1")
    assert not report.details.isVisible()
    show = next(button for button in report.findChildren(QToolButton) if button.text() == "Show details")
    show.click()
    assert report.details.isVisible()
    report.copy.click()
    assert QApplication.clipboard().text() == f"napari-msqsm {__version__}\nno image\n\nTraceback: line 1"
