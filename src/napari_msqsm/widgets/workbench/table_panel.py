"""The Lesion table panel: measure, look, go to a lesion, save."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QModelIndex, QSortFilterProxyModel, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
)

from napari_msqsm.widgets.panel import Panel
from napari_msqsm.widgets.task_view import TaskView
from napari_msqsm.widgets.workbench.row_model import SORT_ROLE, RowModel
from napari_msqsm.workflow.measure.patient import measure_patient
from napari_msqsm.workflow.measure.patient_table import PatientTable
from napari_msqsm.workflow.measure.study import StudyMeasurement, measure_study
from napari_msqsm.workflow.tasks import TaskState

if TYPE_CHECKING:
    import napari

    from napari_msqsm.workflow.tasks import Task

_FORMATS = ("csv", "xlsx", "parquet")
_EMPTY = (
    "Nothing is measured yet. Measure the patient that is open in the Lesions panel, or the whole study: one row per "
    "lesion and session. Saving writes lesion_table.tsv, which the panel Growth curves and msqsm fit take."
)


class LesionTablePanel(Panel):
    """Lesion × session."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer)
        self.work = self.coordinator.workbench
        self._task: Task | None = None
        column = QVBoxLayout(self)
        self.words = QLabel(_EMPTY)
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        column.addWidget(self.words)
        column.addLayout(self._buttons())
        self.model, self.sorted = RowModel(), QSortFilterProxyModel(self)
        self.sorted.setSourceModel(self.model)
        self.sorted.setSortRole(SORT_ROLE)
        self.sorted.setFilterKeyColumn(-1)
        self.sorted.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.table = QTableView()
        self.table.setModel(self.sorted)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setToolTip("Double click: go to this lesion at this session")
        vertical = self.table.verticalHeader()
        if vertical is not None:
            vertical.hide()
            vertical.setDefaultSectionSize(20)
        self.table.doubleClicked.connect(self._jump)
        column.addWidget(self.table, 1)
        column.addWidget(TaskView(self.coordinator))
        self.work.opened.connect(self._renew)
        self.coordinator.study_changed.connect(self._renew)
        self.coordinator.task_ended.connect(self._on_ended)
        self._renew()

    def measure_open(self) -> None:
        """Measure the patient that is open, as it is drawn now; nothing is written."""
        drawing, maps = self.work.drawing, self.work.maps
        if drawing is None or maps is None:
            return
        self.work.canvas.flush()

        def work(on_progress: Any, cancel: Any) -> PatientTable:
            return measure_patient(drawing, maps, on_progress=on_progress, cancel=cancel)

        self._task = self.coordinator.run(f"Measure sub-{self.work.patient_id}", work)

    def measure_all(self) -> None:
        """Measure what is saved of every patient and write the table, as ``msqsm measure`` does."""
        study = self.coordinator.workspace.study
        if study is None:
            return
        self.work.save()
        formats = tuple(name for name, box in self.formats.items() if box.isChecked())

        def work(on_progress: Any, cancel: Any) -> StudyMeasurement:
            return measure_study(study, formats=formats, on_progress=on_progress, cancel=cancel)

        self._task = self.coordinator.run("Lesion table of the study", work)

    def _buttons(self) -> QVBoxLayout:
        first, second = QHBoxLayout(), QHBoxLayout()
        self.measure_button = QPushButton("Measure this patient")
        self.measure_button.clicked.connect(self.measure_open)
        self.save_button = QPushButton("Measure the study and save")
        self.save_button.setToolTip("Saves the drawing, measures every patient and writes lesion_table.tsv")
        self.save_button.clicked.connect(self.measure_all)
        first.addWidget(self.measure_button)
        first.addWidget(self.save_button)
        first.addStretch(1)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("show rows with …")
        self.filter.textChanged.connect(lambda text: self.sorted.setFilterFixedString(text))
        self.formats = {name: QCheckBox(name.upper()) for name in _FORMATS}
        second.addWidget(self.filter, 1)
        second.addWidget(QLabel("also write"))
        for box in self.formats.values():
            second.addWidget(box)
        column = QVBoxLayout()
        column.addLayout(first)
        column.addLayout(second)
        return column

    def _renew(self) -> None:
        workspace = self.coordinator.workspace
        self.measure_button.setEnabled(self.work.drawing is not None)
        self.save_button.setEnabled(workspace.study is not None and workspace.files is None)

    def _on_ended(self, task: Task) -> None:
        if task is not self._task:
            return
        if task.state is not TaskState.DONE:
            self.words.setText(task.error or "cancelled")
            return
        if isinstance(task.result, PatientTable):
            tables: tuple[PatientTable, ...] = (task.result,)
            said = ["not saved"]
        else:
            found: StudyMeasurement = task.result
            tables = found.tables
            said = [f"saved as {path.name}" for name, path in found.files.items() if name == "tsv"]
            said += [f"sub-{patient}: {why}" for patient, why in found.refused.items()]
        rows = [row for table in tables for row in table.rows]
        lesions = sum(table.n_lesions for table in tables)
        notes = [note for table in tables for note in table.notes]
        self.words.setText("\n".join([f"{lesions} lesions, {len(rows)} rows; {'; '.join(said)}", *notes[:6]]))
        self.words.setToolTip("\n".join(notes))
        self.model.set_rows(rows)
        self.table.resizeColumnsToContents()

    def _jump(self, index: QModelIndex) -> None:
        row = self.model.rows[self.sorted.mapToSource(index).row()]
        if row.session_id is not None:
            self.work.jump(row.patient_id, row.lesion_id, row.session_id)
