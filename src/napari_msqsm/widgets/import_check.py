"""Second step of an import: what becomes of every series, to correct before anything is written."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_msqsm.widgets.import_left_out import LeftOutTable
from napari_msqsm.widgets.import_model import ImportModel
from napari_msqsm.widgets.import_preview import Slice, SliceView, preview_of
from napari_msqsm.widgets.import_table import ImportTable
from napari_msqsm.workflow.dicom_import.date_words import DateWords
from napari_msqsm.workflow.dicom_import.plan_words import plan_words
from napari_msqsm.workflow.dicom_import.row_order import rows_to_look_at
from napari_msqsm.workflow.dicom_import.row_words import role_words, series_words

if TYPE_CHECKING:
    from napari_msqsm.widgets.coordinator import Coordinator
    from napari_msqsm.widgets.import_work import ImportWork
    from napari_msqsm.workflow.dicom_import.plan import PlannedSeries

_KEEP_DATES = (
    "Otherwise all dates of a patient are moved by the same number of days, drawn by chance and written into the "
    "private key only: intervals and lesion ages stay what they are"
)


_MOST_LINES = 4
"""Of problems; more of them scroll."""
_MARGIN_PX = 14


class ImportCheck(QWidget):
    """The table, a look at the selected series, what was left out, and the way on.

    Signals
    -------
    write_requested
        Whether dates are kept.
    discard_requested
        Begin anew.
    show_requested
        A row to show in the viewer.
    """

    write_requested = Signal(bool)
    discard_requested = Signal()
    show_requested = Signal(object)

    def __init__(self, coordinator: Coordinator, work: ImportWork) -> None:
        super().__init__()
        self._coordinator = coordinator
        self._work = work
        self._turn = 0
        self._dates: DateWords | None = None
        self.model = ImportModel(lambda row: "" if self._dates is None else self._dates(row))
        self.model.edit_requested.connect(work.change)
        self.model.refused.connect(self.say)
        self.table = ImportTable(self.model)
        self.table.row_selected.connect(self._look_at)
        self.table.row_opened.connect(self.show_requested)
        self.left_out = LeftOutTable()
        self.tabs = QTabWidget()
        self.tabs.addTab(self._series_page(), "Series")
        self.tabs.addTab(self.left_out, "Left out")
        self.head = QLabel()
        self.head.setWordWrap(True)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._problems = QScrollArea()
        self._problems.setWidgetResizable(True)
        self._problems.setFrameShape(QFrame.Shape.NoFrame)
        self._problems.setWidget(self.problem)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.head)
        column.addWidget(self.tabs, 1)
        column.addWidget(self._problems)
        column.addLayout(self._way_on())

    def renew(self) -> None:
        """Show the plan as it is now."""
        plan = self._work.plan
        if plan is None:
            self._turn += 1
            self.slice.show_slice(None)
            self.about.setText("")
            return
        is_new = self.model.rowCount() == 0
        self._dates = DateWords(plan, keep_dates=self.keep_dates.isChecked())
        self.model.set_plan(plan)
        if is_new:
            self.table.fit_columns()
            self.table.selectRow(0)
        self.left_out.set_left_out(plan.left_out)
        n_looks = rows_to_look_at(plan.rows)
        self.only_looks.setText(f"only what needs a look ({n_looks})")
        self.tabs.setTabText(0, f"Series ({len(plan.rows)})")
        self.tabs.setTabText(1, f"Left out ({len(plan.left_out)})")
        if not plan.rows:
            self.tabs.setCurrentIndex(1)
        self.head.setText(escape(plan_words(plan)))
        self.say("\n".join((*plan.problems, self._work.error)).strip())
        self.write_button.setEnabled(any(row.role != "ignore" for row in plan.rows))
        for row in self.table.selected[:1]:
            self._describe(row)

    def say(self, sentences: str) -> None:
        """Show what is wrong, or nothing."""
        self.problem.setText("\n".join(f"⚠ {line}" for line in sentences.splitlines()))
        lines = min(len(sentences.splitlines()), _MOST_LINES)
        self._problems.setFixedHeight(lines * self.problem.fontMetrics().lineSpacing() + _MARGIN_PX)
        self._problems.setVisible(bool(sentences))

    def _series_page(self) -> QWidget:
        self.only_looks = QCheckBox("only what needs a look")
        self.only_looks.toggled.connect(self._filter)
        self.search = QLineEdit()
        self.search.setPlaceholderText("find…")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.search.setMaximumWidth(220)
        hint = QLabel("Double click to correct a cell or to show a series in the viewer; right click for several rows.")
        hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # a narrow dock cuts it off
        line = QHBoxLayout()
        line.addWidget(self.only_looks)
        line.addWidget(self.search)
        line.addWidget(hint, 1)
        self.slice = SliceView()
        self.about = QLabel()
        self.about.setWordWrap(True)
        self.about.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.about.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words = QScrollArea()
        words.setWidgetResizable(True)
        words.setWidget(self.about)
        side = QSplitter(Qt.Orientation.Vertical)
        side.addWidget(self.slice)
        side.addWidget(words)
        side.setSizes([220, 120])
        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.addWidget(self.table)
        parts.addWidget(side)
        parts.setStretchFactor(0, 4)
        parts.setStretchFactor(1, 1)
        parts.setSizes([900, 240])
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 4, 0, 0)
        column.addLayout(line)
        column.addWidget(parts, 1)
        return page

    def _way_on(self) -> QHBoxLayout:
        self.keep_dates = QCheckBox("keep the true dates")
        self.keep_dates.setToolTip(_KEEP_DATES)
        self.keep_dates.toggled.connect(self._renew_dates)
        self.discard_button = QPushButton("Discard")
        self.discard_button.setToolTip("Remove what was read from its private folder; the DICOM files are not touched")
        self.discard_button.clicked.connect(self.discard_requested)
        self.write_button = QPushButton("Write study")
        self.write_button.clicked.connect(lambda: self.write_requested.emit(self.keep_dates.isChecked()))
        line = QHBoxLayout()
        line.addWidget(self.discard_button)
        line.addStretch(1)
        line.addWidget(self.keep_dates)
        line.addWidget(self.write_button)
        return line

    def _renew_dates(self, keep_dates: bool) -> None:
        if self._work.plan is not None:
            self._dates = DateWords(self._work.plan, keep_dates=keep_dates)
            self.model.renew_dates()

    def _filter(self) -> None:
        self.model.show_only(looks=self.only_looks.isChecked(), text=self.search.text())

    def _look_at(self, row: PlannedSeries | None) -> None:
        """Read the middle slice beside the window; of several series, the last one asked for is shown."""
        self._turn += 1
        turn = self._turn
        self.slice.show_slice(None)
        if row is None:
            self.about.setText("")
            return
        self._describe(row)

        def done(slice_: Slice | None) -> None:
            if turn == self._turn:
                self.slice.show_slice(slice_)

        self._coordinator.read_beside(lambda: preview_of(row), done)

    def _describe(self, row: PlannedSeries) -> None:
        lines = [f"<b>{escape(series_words(row))}</b>", f"{escape(role_words(row.role))}: {escape(row.why)}"]
        if row.post_gd_why:
            lines.append(f"After gadolinium: {escape(row.post_gd_why)}")
        self.about.setText("<br>".join([*lines, *(f"⚠ {escape(problem)}" for problem in row.problems)]))
