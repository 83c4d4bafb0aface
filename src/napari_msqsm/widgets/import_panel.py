"""The Import panel: a folder of DICOM becomes an anonymised study, step by step."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QSettings, Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QSizePolicy, QStackedWidget, QVBoxLayout

from napari_msqsm.widgets import layers
from napari_msqsm.widgets.dropped import FolderDrops
from napari_msqsm.widgets.images import read_image
from napari_msqsm.widgets.import_check import ImportCheck
from napari_msqsm.widgets.import_choose import ImportChoose
from napari_msqsm.widgets.import_done import ImportDone
from napari_msqsm.widgets.import_preview import preview_file
from napari_msqsm.widgets.import_question import ask_to_keep
from napari_msqsm.widgets.import_work import ImportStep
from napari_msqsm.widgets.panel import Panel
from napari_msqsm.widgets.progress_page import ProgressPage
from napari_msqsm.workflow.dicom_import.row_words import series_words

if TYPE_CHECKING:
    import napari

    from napari_msqsm.workflow.dicom_import.plan import PlannedSeries


_PLACED = "import_panel_placed"
_HEIGHT_PX = 420


class ImportPanel(Panel):
    """Choose, read, check, write; closing it stops nothing, and asks before anything private stays behind."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer)
        self._window: weakref.ref[QMainWindow] | None = None
        self.work = self.coordinator.importing
        self.choose = ImportChoose()
        self.progress = ProgressPage(self.coordinator)
        self.check = ImportCheck(self.coordinator, self.work)
        self.done = ImportDone()
        self.pages = QStackedWidget()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._page_of = {
            ImportStep.CHOOSE: self.choose,
            ImportStep.READING: self.progress,
            ImportStep.CHECK: self.check,
            ImportStep.WRITING: self.progress,
            ImportStep.DONE: self.done,
        }
        for page in (self.choose, self.progress, self.check, self.done):
            self.pages.addWidget(page)
        column = QVBoxLayout(self)
        column.addWidget(self.pages)
        self.choose.chosen.connect(self.work.read)
        self.check.write_requested.connect(lambda keep: self.work.write(keep_dates=keep))
        self.check.discard_requested.connect(self.work.discard)
        self.check.show_requested.connect(self.show_series)
        self.done.again_requested.connect(self.work.discard)
        self.work.changed.connect(self.renew)
        self.coordinator.failed.connect(self._say)
        FolderDrops(self, self.take_folder)
        self.renew()

    def take_folder(self, dicom_dir: Path) -> None:
        """Start with a DICOM folder that was dropped, unless another import is under way."""
        if self.work.step in {ImportStep.CHOOSE, ImportStep.DONE}:
            self.work.discard()
            self.choose.propose(dicom_dir)
        elif self.work.step is ImportStep.CHECK:
            self.check.say("Write this import or discard it before the next one.")

    def renew(self) -> None:
        """Show the step that the import is at."""
        step = self.work.step
        if step is ImportStep.CHOOSE:
            self.choose.say(self.work.error)
        elif step in {ImportStep.READING, ImportStep.WRITING}:
            self.progress.show_task(self.work.task)
        elif step is ImportStep.DONE and self.work.outcome is not None:
            self.done.show_outcome(self.work.outcome)
        self.check.renew()
        self.pages.setCurrentWidget(self._page_of[step])

    def _say(self, sentence: str, _: str = "") -> None:
        """Show what did not work where the user looks."""
        if self.work.step is ImportStep.CHECK:
            self.check.say(sentence)

    def show_series(self, row: PlannedSeries) -> None:
        """Show a series as a layer, read beside the window."""
        path = preview_file(row)
        if path is not None:
            self.coordinator.read_beside(
                lambda: read_image(path, label=series_words(row)), lambda image: layers.show(self.viewer, [image])
            )

    def changeEvent(self, event: QEvent | None) -> None:
        """Ask what happens to private files once the panel is closed."""
        super().changeEvent(event)
        closed = event is not None and event.type() == QEvent.Type.ParentChange and self.parent() is None
        window = self._window() if closed and self._window is not None else None
        if window is not None and self.work.is_private:
            ask_to_keep(self.work, window)

    def _join(self) -> None:
        """Go below the images the first time: the table is wide."""
        super()._join()
        dock = self.parent()
        window = None if dock is None else dock.parent()
        memory = QSettings("napari-msqsm", "napari-msqsm")
        if not isinstance(dock, QDockWidget) or not isinstance(window, QMainWindow):
            return
        self._window = weakref.ref(window)  # the window holds the panel, not the panel the window
        if not memory.value(_PLACED):
            memory.setValue(_PLACED, "yes")
            window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
            window.resizeDocks([dock], [_HEIGHT_PX], Qt.Orientation.Vertical)
