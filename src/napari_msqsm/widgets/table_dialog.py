"""Covariates and dates from a laboratory's table: what its columns are, and what would change, before it is written."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDialogButtonBox,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QTextBrowser,
    QWidget,
)

from napari_msqsm.errors import MsqsmError
from napari_msqsm.io.spreadsheet import Sheet, read_sheet
from napari_msqsm.widgets.ask_dialog import AskDialog
from napari_msqsm.widgets.flag_words import in_words_of_the_window
from napari_msqsm.widgets.table_words import UNUSED, cell_words, given_of, plan_html, uses_of
from napari_msqsm.workflow.bring_in.tables.changes import TablePlan
from napari_msqsm.workflow.bring_in.tables.columns import propose
from napari_msqsm.workflow.bring_in.tables.plan import plan_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm.model.study import Study
    from napari_msqsm.widgets.coordinator import Coordinator
    from napari_msqsm.workflow.bring_in.tables.dates import DateOrder

_TABLES = "Tables (*.csv *.tsv *.txt *.xlsx *.xlsm)"
_ORDERS: dict[str, DateOrder | None] = {
    "told from the dates": None,
    "day, month, year": "dmy",
    "month, day, year": "mdy",
    "year, month, day": "ymd",
}
_N_PREVIEW = 5
_PAUSE_MS = 300
_SIZE_PX = (900, 640)


class TableDialog(AskDialog):
    """Reads a table beside the window, proposes what its columns are and compares it with the study at every change."""

    def __init__(self, coordinator: Coordinator, study: Study, parent: QWidget | None = None) -> None:
        super().__init__(f"Take covariates and dates over for {study.root.name}", parent)
        self._coordinator = coordinator
        self._study = study
        self._sheet: Sheet | None = None
        self._turn = 0
        self.plan: TablePlan | None = None
        self.uses: dict[str, QComboBox] = {}
        self.add_file("path", "Table", kinds=_TABLES)
        self.add_line("sheet", "Sheet (optional)", hint="of a workbook with several")
        tip = "From the names in the table to those of the study; that of the DICOM import when empty"
        self.add_file("key_file", "Private key (optional)", kinds="Tables (*.tsv *.csv *.xlsx);;All files (*)", tip=tip)
        self.order = QComboBox()
        self.order.addItems(list(_ORDERS))
        self.form.addRow("Dates are", self.order)
        self.within_days = QSpinBox()
        self.within_days.setRange(0, 3650)
        self.within_days.setSuffix(" days from the scan")
        self.within_days.setToolTip("How far a date may lie from the scan where dates tell the session")
        self.form.addRow("A visit is at most", self.within_days)
        self.preview = QTableWidget()
        self.preview.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.form.addRow(self.preview)
        self.words = QTextBrowser()
        self.form.addRow(self.words)
        self.overwrite = QCheckBox("replace values that the study has already")
        self.overwrite.toggled.connect(self._renew_write)
        self.form.addRow("", self.overwrite)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        write = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        if write is not None:
            write.setText("Write")
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._compare)
        for name in ("path", "sheet"):
            self.fields[name].textChanged.connect(self._read)
        for changed in (self.fields["key_file"].textChanged, self.order.activated, self.within_days.valueChanged):
            changed.connect(self._wait)
        self.resize(*_SIZE_PX)
        self._show(None, "Choose the table.")

    def missing(self) -> str:
        """Say why nothing can be written yet."""
        if self.plan is None:
            return self.problem.text() or "The table is still being compared with the study."
        return "" if self._n_written else "There is nothing to write."

    @property
    def _n_written(self) -> int:
        """How many values would be written now."""
        if self.plan is None:
            return 0
        return len(self.plan.changes) - (0 if self.overwrite.isChecked() else len(self.plan.conflicts))

    def _renew_write(self) -> None:
        write = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        if write is not None:
            write.setEnabled(self._n_written > 0)

    def _read(self) -> None:
        """Read the table and propose what its columns are."""
        path, sheet = self.path("path"), self.fields["sheet"].text().strip() or None
        self._sheet = None
        if path is None or not path.is_file():
            self._show(None, "Choose the table.")
            return
        self._beside(partial(read_sheet, path, sheet=sheet), self._take_sheet)

    def _take_sheet(self, sheet: Sheet) -> None:
        self._sheet = sheet
        proposed: dict[str, str] = {}
        said = ""
        try:
            proposed = {choice.column: choice.name for choice in propose(sheet)}
        except MsqsmError as error:
            said = f"{in_words_of_the_window(str(error))}."
        self._fill_preview(sheet, proposed)
        if said:
            self._show(None, said)
        else:
            self._compare()

    def _fill_preview(self, sheet: Sheet, proposed: dict[str, str]) -> None:
        rows = sheet.rows[:_N_PREVIEW]
        self.uses = {}
        self.preview.clear()
        self.preview.setColumnCount(len(sheet.columns))
        self.preview.setRowCount(1 + len(rows))
        self.preview.setHorizontalHeaderLabels(list(sheet.columns))
        self.preview.setVerticalHeaderLabels(["is", *(str(line) for line in sheet.lines[: len(rows)])])
        for place, column in enumerate(sheet.columns):
            box = self.uses[column] = QComboBox()
            for words, value in uses_of(column):
                box.addItem(words, value)
            box.setCurrentIndex(max(0, box.findData(proposed.get(column, UNUSED))))
            box.activated.connect(self._wait)
            self.preview.setCellWidget(0, place, box)
            for number, row in enumerate(rows, start=1):
                self.preview.setItem(number, place, QTableWidgetItem(cell_words(row[column])))
        self.preview.resizeColumnsToContents()

    def _wait(self, *_: object) -> None:
        """Compare anew once the user pauses."""
        if self._sheet is not None:
            self._show(None, "")
            self._pause.start()

    def _compare(self) -> None:
        path = self.path("path")
        if self._sheet is None or path is None:
            return
        try:
            columns = given_of({column: str(box.currentData()) for column, box in self.uses.items()})
        except ValueError as error:
            self._show(None, str(error))
            return
        work = partial(
            plan_table,
            self._study,
            path,
            sheet=self.fields["sheet"].text().strip() or None,
            columns=columns,
            key_file=self.path("key_file"),
            date_order=_ORDERS[self.order.currentText()],
            within_days=self.within_days.value(),
        )
        self._beside(work, lambda plan: self._show(plan, ""))

    def _beside(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Work beside the window; what the table lacks is said here, and only the last answer counts."""
        self._turn += 1
        turn = self._turn

        def attempt() -> Any:
            try:
                return work()
            except MsqsmError as error:
                return error

        def take(found: Any) -> None:
            if turn != self._turn:
                return
            if isinstance(found, MsqsmError):
                self._show(None, f"{in_words_of_the_window(str(found))}.")
            else:
                done(found)

        self._show(None, "")
        self._coordinator.read_beside(attempt, take)

    def _show(self, plan: TablePlan | None, problem: str) -> None:
        self.plan = plan
        self.problem.setText(problem)
        self.words.setHtml("" if plan is None else plan_html(plan))
        self.overwrite.setVisible(plan is not None and bool(plan.conflicts))
        self._renew_write()

    def done(self, result: int) -> None:
        """Close; answers that come later are not waited for."""
        self._turn += 1
        self._pause.stop()
        super().done(result)
