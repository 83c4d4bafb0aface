"""The Growth curves panel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSplitter,
    QTabWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from napari_msqsm.growth.influence import influences
from napari_msqsm.widgets.figure_view import FigureView
from napari_msqsm.widgets.growth.choices import GrowthChoices
from napari_msqsm.widgets.growth.columns_dialog import WANTED, ColumnsDialog
from napari_msqsm.widgets.growth.power_dialog import PowerDialog
from napari_msqsm.widgets.panel import Panel
from napari_msqsm.widgets.task_view import TaskView
from napari_msqsm.workflow.growth.diagnostics import paint_diagnostics
from napari_msqsm.workflow.growth.figure import paint_growth
from napari_msqsm.workflow.growth.fitting import GrowthResult, fit_table, read_lesions
from napari_msqsm.workflow.growth.report import numbers_html
from napari_msqsm.workflow.growth.writing import write_growth
from napari_msqsm.workflow.tasks import TaskState, error_sentence

if TYPE_CHECKING:
    import napari
    import pandas as pd

    from napari_msqsm.workflow.tasks import Task

_TABLE = "lesion_table.tsv"
_WAIT_MS = 350
_SAMPLES = 1000
_EMPTY = (
    "No lesion table is open. Measure the lesions of a study (panel Lesion table, or msqsm measure): its table is then "
    "taken. Or open any TSV or CSV table with one row per lesion and session."
)


class GrowthPanel(Panel):
    """Fit growth curves to the table of the study, or to any other."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer)
        self.table: pd.DataFrame | None = None
        self.source: Path | None = None
        self.result: GrowthResult | None = None
        self._turn = 0
        self._bootstrap: Task | None = None
        column = QVBoxLayout(self)
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        column.addWidget(self.title)
        column.addLayout(self._buttons())
        self.choices = GrowthChoices()
        self.curves, self.residuals, self.numbers = FigureView(), FigureView(), QTextBrowser()
        document = self.numbers.document()
        if document is not None:
            document.setDefaultStyleSheet("td,th{padding:1px 8px}")
        self.tabs = QTabWidget()
        for view, words in ((self.curves, "Curves"), (self.residuals, "Does it fit?"), (self.numbers, "Numbers")):
            self.tabs.addTab(view, words)
        self.tabs.currentChanged.connect(self._show_tab)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(_scrolled(self.choices))
        splitter.addWidget(self.tabs)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([260, 560])
        column.addWidget(splitter, 1)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        column.addWidget(self.words)
        column.addWidget(TaskView(self.coordinator))
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(_WAIT_MS)
        self._wait.timeout.connect(self.fit)
        self.choices.changed.connect(self._wait.start)
        self.curves.picked.connect(self._jump)
        self.coordinator.study_changed.connect(self._renew)
        self.coordinator.task_ended.connect(self._on_ended)
        self._renew()

    def open_table(self, path: Path) -> None:
        """Read a table beside the window, and fit it."""

        def done(table: pd.DataFrame) -> None:
            self._take(table, path)

        self.coordinator.read_beside(lambda: read_lesions(path), done)

    def fit(self) -> None:
        """Fit what is chosen, beside the window; only the last choice counts."""
        if self.table is None:
            return
        self._turn += 1
        turn, table, choice, reduce = self._turn, self.table, self.choices.choice(), self.choices.reduce.isChecked()

        def work() -> GrowthResult | str:
            try:
                return fit_table(table, choice, reduce=reduce)
            except ValueError as error:
                return error_sentence(error)

        def done(found: GrowthResult | str) -> None:
            if turn == self._turn:
                self._show(found)

        self.words.setText("Fitting …")
        self.coordinator.read_beside(work, done)

    def bootstrap(self) -> None:
        """Fit again with bootstrap intervals, as a task."""
        if self.table is None:
            return
        table, choice, reduce = self.table, self.choices.choice(), self.choices.reduce.isChecked()

        def work(on_progress: Any, cancel: Any) -> GrowthResult:
            return fit_table(table, choice, reduce=reduce, bootstrap=_SAMPLES, on_progress=on_progress, cancel=cancel)

        self._turn += 1
        self._bootstrap = self.coordinator.run("Bootstrap of the growth curves", work)

    def export(self, folder: Path) -> None:
        """Write model, tables, figures, report and R script of what is shown, beside the window."""
        result, source = self.result, self.source
        if result is None:
            return

        def done(files: dict[str, Path]) -> None:
            self.words.setText(f"Written: {files['report'].parent}")

        self.coordinator.read_beside(lambda: write_growth(folder, result, source=source), done)

    def _buttons(self) -> QHBoxLayout:
        line = QHBoxLayout()
        self.study_button = QPushButton("Table of the study")
        self.study_button.clicked.connect(self._open_study_table)
        self.open_button = QPushButton("Open table…")
        self.open_button.clicked.connect(self._ask_table)
        self.bootstrap_button = QPushButton("Bootstrap")
        self.bootstrap_button.setToolTip(f"Intervals of peak and decay from {_SAMPLES} samples of each kind")
        self.bootstrap_button.clicked.connect(self.bootstrap)
        self.power_button = QPushButton("Power…")
        self.power_button.setToolTip("How many patients a study needs, by simulation")
        self.power_button.clicked.connect(lambda: PowerDialog(self.coordinator, self).show())
        self.export_button = QPushButton("Export…")
        self.export_button.clicked.connect(self._ask_folder)
        buttons = (self.study_button, self.open_button, self.bootstrap_button, self.export_button, self.power_button)
        for button in buttons:
            line.addWidget(button)
        line.addStretch(1)
        return line

    def _study_table(self) -> Path | None:
        study = self.coordinator.workspace.study
        path = None if study is None else study.derivatives_root / _TABLE
        return path if path is not None and path.is_file() else None

    def _renew(self) -> None:
        path = self._study_table()
        self.study_button.setEnabled(path is not None)
        if self.table is None and path is not None:
            self.open_table(path)
        self._renew_buttons()

    def _renew_buttons(self) -> None:
        self.bootstrap_button.setEnabled(self.result is not None)
        self.export_button.setEnabled(self.result is not None)
        self.title.setText(_EMPTY if self.source is None else self.source.name)
        self.title.setToolTip("" if self.source is None else str(self.source))

    def _open_study_table(self) -> None:
        path = self._study_table()
        if path is not None:
            self.open_table(path)

    def _ask_table(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Lesion table", "", "Tables (*.tsv *.csv *.tsv.gz *.csv.gz)")
        if name:
            self.open_table(Path(name))

    def _ask_folder(self) -> None:
        study = self.coordinator.workspace.study
        start = "" if study is None else str(study.derivatives_root / "growth")
        name = QFileDialog.getExistingDirectory(self, "Folder for the growth curves", start)
        if name:
            self.export(Path(name))

    def _take(self, table: pd.DataFrame, path: Path) -> None:
        if any(name not in table.columns for name in WANTED):
            dialog = ColumnsDialog([str(name) for name in table.columns], self)
            if not dialog.exec():
                return
            table = table.rename(columns=dialog.names())
        self.table, self.source = table, path
        self.choices.set_table(table)
        self._renew_buttons()
        self.fit()

    def _show(self, found: GrowthResult | str) -> None:
        self.result = None if isinstance(found, str) else found
        self._renew_buttons()
        if isinstance(found, str):
            self.words.setText(f"⚠ {found}")
            self.curves.draw(lambda _: None)
        else:
            model = found.model
            rows = model.table.rows
            counts = f"{model.fit.n_rows} rows, {model.n_lesions} lesions, {model.n_patients} patients"
            self.words.setText("\n".join([counts, *(f"⚠ {sentence}" for sentence in model.warnings)]))
            points = np.column_stack([rows["lesion_age_y"].to_numpy(dtype=np.float64), model.fit.response])
            names = [f"{row.lesion_id} ({row.rim})" for row in rows.itertuples()]
            self.curves.draw(lambda figure: paint_growth(figure, found), points=points, names=names)
        self._show_tab(self.tabs.currentIndex())

    def _show_tab(self, index: int) -> None:
        """Fill a tab when it is looked at: both cost more than the curves."""
        result, view = self.result, self.tabs.widget(index)
        if result is None:
            self.residuals.draw(lambda _: None)
            self.numbers.clear()
        elif view is self.numbers:
            self.numbers.setHtml(numbers_html(result))
        elif view is self.residuals:
            turn = self._turn

            def done(found: Any) -> None:
                if turn == self._turn:
                    self.residuals.draw(lambda figure: paint_diagnostics(figure, result.model, found))

            self.coordinator.read_beside(lambda: influences(result.model), done)

    def _on_ended(self, task: Task) -> None:
        if task is self._bootstrap and task.state is TaskState.DONE:
            self._show(task.result)
            self.tabs.setCurrentWidget(self.numbers)

    def _jump(self, point: int) -> None:
        """Show the lesion of a point at its session in the viewer, where it belongs to the open study."""
        if self.result is None:
            return
        row = self.result.model.table.rows.iloc[point]
        self.words.setText(f"{row['lesion_id']} of {row['patient_id']}, {row['lesion_age_y']:.2f} y")
        if self.source is not None and self.source == self._study_table():
            self.coordinator.workbench.jump(*(str(row[name]) for name in ("patient_id", "lesion_id", "session_id")))


def _scrolled(inner: QWidget) -> QScrollArea:
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(inner)
    return scroll
