"""The Study panel: patients, sessions, what is there, what is missing, what is done, what to do next."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_msqsm.widgets.add_menu import AddMenu
from napari_msqsm.widgets.dropped import FolderDrops
from napari_msqsm.widgets.files_dialog import FilesDialog
from napari_msqsm.widgets.panel import Panel
from napari_msqsm.widgets.task_view import ErrorReport, TaskView
from napari_msqsm.widgets.words import images_words, session_details, state_words

if TYPE_CHECKING:
    import napari

    from napari_msqsm.model.study import Session

_EMPTY = (
    "<h3>No study is open</h3>"
    "<p>Open the folder of a <b>BIDS dataset</b>: multi-echo gradient echo (MEGRE, magnitude and phase) of every "
    "session, with FLAIR and T1 where there are any.</p>"
    "<p>From the scanner, <b>import DICOM</b>: the folder becomes such a dataset, anonymised. Without BIDS, open the "
    "NIfTI files of one scan. Folders can be dropped here. To look around first, open the sample patient.</p>"
)


class StudyPanel(Panel):
    """Open a study and walk through its sessions."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer)
        column = QVBoxLayout(self)
        column.addLayout(self._opening_buttons())
        self.title = QLabel()
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        column.addWidget(self.title)
        self.pages = QStackedWidget()
        self.pages.addWidget(self._empty_page())
        self.pages.addWidget(self._session_page())
        column.addWidget(self.pages, 1)
        self.next_step = QLabel()
        self.next_step.setWordWrap(True)
        column.addWidget(self.next_step)
        column.addWidget(TaskView(self.coordinator))
        self.error = QLabel()
        self.error.setWordWrap(True)
        self.error.setTextFormat(Qt.TextFormat.PlainText)
        self.report = ErrorReport()
        column.addWidget(self.error)
        column.addWidget(self.report)
        self.coordinator.study_changed.connect(self.renew)
        self.coordinator.selection_changed.connect(self._renew_details)
        self.coordinator.reading_changed.connect(self._renew_next_step)
        self.coordinator.failed.connect(self._show_error)
        FolderDrops(self, self.take_folder)
        self.renew()

    def renew(self) -> None:
        """Show the study as it is now."""
        self._show_error("", "")
        study = self.coordinator.workspace.study
        self.pages.setCurrentIndex(0 if study is None else 1)
        self.title.setVisible(study is not None)
        self.tree.clear()
        if study is not None:
            self.title.setText(study.root.name)
            self.title.setToolTip(str(study.root))
            for patient in study.patients:
                branch = QTreeWidgetItem([f"sub-{patient.patient_id}", "", "", ""])
                self.tree.addTopLevelItem(branch)
                for session in patient.sessions:
                    self._add_session(branch, session)
                branch.setExpanded(True)
            for index in range(self.tree.columnCount()):
                self.tree.resizeColumnToContents(index)
        self._renew_details()

    def show_selected(self) -> None:
        """Show the selected session's images."""
        session = self.coordinator.workspace.selected
        if session is not None:
            self.coordinator.show_session(session)

    def open_folder(self) -> None:
        """Ask for a folder and open it."""
        start = str(self.coordinator.last_folder or Path.home())
        chosen = QFileDialog.getExistingDirectory(self, "Open a BIDS dataset", start)
        if chosen:
            self.coordinator.open_study(Path(chosen))

    def open_files(self) -> None:
        """Ask for gradient-echo files and open them."""
        dialog = FilesDialog(self)
        if dialog.exec():
            self.coordinator.open_files(*dialog.chosen())

    def open_sample(self) -> None:
        """Copy the sample study to the user's folder and open it."""
        from napari_msqsm.phantom.sample import copy_sample_study
        from napari_msqsm.widgets.sample import sample_folder

        self.coordinator.open_made(lambda: copy_sample_study(sample_folder()))

    def open_import(self) -> Any:
        """Dock the Import panel, or bring it to the front."""
        dock, panel = self.viewer.window.add_plugin_dock_widget("napari-msqsm", "Import")
        dock.show()
        dock.raise_()
        return panel

    def take_folder(self, folder: Path) -> None:
        """Open a BIDS folder, or start the import of a DICOM folder; `coordinator.failed` tells when it is neither."""
        from napari_msqsm.workflow.dicom_import.folder_kind import folder_kind

        def done(kind: str) -> None:
            if kind == "dicom":
                self.open_import().take_folder(folder)
            else:
                self.coordinator.open_study(folder, show=True)

        self.coordinator.read_beside(lambda: folder_kind(folder), done)

    def open_coregister(self) -> None:
        """Dock the Coregister panel."""
        self.viewer.window.add_plugin_dock_widget("napari-msqsm", "Coregister", tabify=True)

    def open_reconstruct(self) -> None:
        """Dock the Reconstruct panel."""
        self.viewer.window.add_plugin_dock_widget("napari-msqsm", "Reconstruct", tabify=True)

    def _opening_buttons(self) -> QHBoxLayout:
        line = QHBoxLayout()
        for text, tip, action in (
            ("Open folder…", "Open a BIDS dataset", self.open_folder),
            ("Open files…", "Open the NIfTI files of one scan", self.open_files),
            ("Import DICOM…", "Make an anonymised BIDS dataset of a DICOM folder", self.open_import),
            ("Sample", "Open a synthetic patient with three sessions", self.open_sample),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(action)
            line.addWidget(button)
        return line

    def _empty_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        empty = QLabel(_EMPTY)
        empty.setWordWrap(True)
        column.addWidget(empty)
        last = self.coordinator.last_folder
        if last is not None:
            again = QPushButton(f"Open {last.name} again")
            again.setToolTip(str(last))
            again.clicked.connect(lambda: self.coordinator.open_study(last))
            column.addWidget(again)
        column.addStretch(1)
        return page

    def _session_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        self.tree = QTreeWidget()
        self.tree.setHeaderLabels(["Session", "Date", "χ map", "Images"])
        self.tree.currentItemChanged.connect(self._on_current)
        self.tree.itemDoubleClicked.connect(lambda *_: self.show_selected())
        self.details = QLabel()
        self.details.setWordWrap(True)
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.show_button = QPushButton("Show")
        self.show_button.setToolTip("Show this session's images (double click)")
        self.show_button.clicked.connect(self.show_selected)
        self.reconstruct_button = QPushButton("Reconstruct…")
        self.reconstruct_button.clicked.connect(self.open_reconstruct)
        self.coregister_button = QPushButton("Coregister…")
        self.coregister_button.setToolTip("Align all images of this patient to its first magnitude")
        self.coregister_button.clicked.connect(self.open_coregister)
        self.add_button = AddMenu(self.coordinator)
        refresh = QPushButton("Refresh")
        refresh.setToolTip("Read the folder again")
        refresh.clicked.connect(self.coordinator.refresh)
        column.addWidget(self.tree, 1)
        column.addWidget(self.details)
        steps = (self.reconstruct_button, self.add_button, self.coregister_button)
        for buttons in ((self.show_button, refresh), steps):
            line = QHBoxLayout()
            for button in buttons:
                line.addWidget(button)
            column.addLayout(line)
        return page

    def _add_session(self, branch: QTreeWidgetItem, session: Session) -> None:
        status = self.coordinator.workspace.status(session.label)
        item = QTreeWidgetItem(
            [
                f"ses-{session.session_id}" if session.session_id else "scan",
                f"{session.date:%Y-%m-%d}" if session.date else "no date",
                state_words(status),
                images_words(status),
            ]
        )
        for index in range(4):
            item.setToolTip(index, status.next_step)
        item.setData(0, Qt.ItemDataRole.UserRole, session.label)
        branch.addChild(item)
        selected = self.coordinator.workspace.selected
        if selected is not None and selected.label == session.label:
            self.tree.setCurrentItem(item)

    def _on_current(self, item: QTreeWidgetItem | None, _: object) -> None:
        label = None if item is None else item.data(0, Qt.ItemDataRole.UserRole)
        if label:
            self.coordinator.workspace.select(label)

    def _renew_details(self) -> None:
        workspace = self.coordinator.workspace
        session = workspace.selected
        self.details.setText("" if session is None else session_details(session, workspace.status(session.label)))
        self.show_button.setEnabled(session is not None)
        self._renew_next_step()

    def _renew_next_step(self) -> None:
        if self.coordinator.is_reading:
            self.next_step.setText("Reading…")
        else:
            self.next_step.setText(f"<b>Next step:</b> {escape(self.coordinator.workspace.next_step)}")

    def _show_error(self, sentence: str, details: str) -> None:
        self.error.setText(f"⚠ {sentence}")
        self.error.setVisible(bool(sentence))
        self.report.setVisible(bool(sentence))
        self.report.set_report(sentence, details)
