"""The plan of an import as a Qt table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from qtpy.QtGui import QBrush, QColor

from napari_msqsm.widgets.import_columns import Column, columns_of
from napari_msqsm.workflow.dicom_import.row_order import arranged, group_of
from napari_msqsm.workflow.dicom_import.row_words import confidence_words, needs_look

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm.workflow.dicom_import.plan import ImportPlan, PlannedSeries

_COLOURS = {"sure": "#4caf50", "likely": "#d9a300", "please check": "#ff6b57"}
_PROBLEM = "#ff6b57"
_LEFT_OUT = "#808080"
_LABEL = re.compile(r"[A-Za-z0-9]+")
_NAMES = {"patient_id": "sub-", "session_id": "ses-"}


class ImportModel(QAbstractTableModel):
    """Rows of a plan, sorted and filtered; edits are asked for, not made.

    Signals
    -------
    edit_requested
        Series of the edited row's acquisition, name of the value, the value.
    refused
        Why an entry is not taken, in one sentence.
    """

    edit_requested = Signal(tuple, str, object)
    refused = Signal(str)

    def __init__(self, date_words: Callable[[PlannedSeries], str]) -> None:
        super().__init__()
        self.columns: tuple[Column, ...] = columns_of(date_words)
        self._rows: tuple[PlannedSeries, ...] = ()
        self._shown: list[int] = []
        self._sorted_by = (0, False)
        self._only_looks = False
        self._text = ""

    def set_plan(self, plan: ImportPlan) -> None:
        """Show a plan; after an edit every row stays where it is until the table is sorted again."""
        same = [row.series.series_uid for row in plan.rows] == [row.series.series_uid for row in self._rows]
        hidden = set(range(len(plan.rows))) - set(self._shown)
        if not same or any(self._matters(plan.rows[index]) for index in hidden):
            self._arrange(plan.rows)
            return
        self._rows = plan.rows
        if self._shown:
            last = self.index(self.rowCount() - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(0, 0), last)
            self.headerDataChanged.emit(Qt.Orientation.Vertical, 0, self.rowCount() - 1)

    def show_only(self, *, looks: bool, text: str) -> None:
        """Show acquisitions that need a look, if ``looks``, and that hold the text."""
        self._only_looks, self._text = looks, text.strip().casefold()
        self._arrange()

    def renew_dates(self) -> None:
        """Dates are written in another way now."""
        if self._shown:
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, self.columnCount() - 1))

    def row_at(self, index: QModelIndex) -> PlannedSeries:
        """Row of the plan at an index."""
        return self._rows[self._shown[index.row()]]

    def index_of(self, series_uid: str) -> int | None:
        """Where a series is shown; None when it is not."""
        for place, index in enumerate(self._shown):
            if self._rows[index].series.series_uid == series_uid:
                return place
        return None

    def series_with(self, row: PlannedSeries) -> tuple[str, ...]:
        """All series of a row's acquisition, which changes as a whole."""
        return tuple(each.series.series_uid for each in self._rows if group_of(each) == group_of(row))

    def check_label(self, field: str, value: str) -> bool:
        """Whether a name may be written; `refused` tells why not."""
        if _LABEL.fullmatch(value):
            return True
        self.refused.emit(f"{_NAMES[field]}{value} is not a BIDS name; use letters and digits only.")
        return False

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Rows that are shown."""
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Columns."""
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words, value, colour or tool tip of a cell."""
        if not index.isValid():
            return None
        row, column = self.row_at(index), self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.words(row)
        if role == Qt.ItemDataRole.EditRole:
            return getattr(row, column.field) if column.field else column.words(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.why(row) or column.words(row)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(row, column)
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Ask for a change of an acquisition."""
        column = self.columns[index.column()]
        row = self.row_at(index)
        if role != Qt.ItemDataRole.EditRole or not column.field or value == getattr(row, column.field):
            return False
        if column.field in _NAMES:
            value = str(value).strip().removeprefix(_NAMES[column.field])
            if not self.check_label(column.field, value):
                return False
        self.edit_requested.emit(self.series_with(row), column.field, value)
        return True

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Which cells can be edited."""
        flags = super().flags(index)
        editable = index.isValid() and bool(self.columns[index.column()].field)
        return flags | Qt.ItemFlag.ItemIsEditable if editable else flags

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Heads of the columns; a bracket beside the rows of one acquisition."""
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return self.columns[section].title
            return self.columns[section].tip if role == Qt.ItemDataRole.ToolTipRole else None
        return self._bracket(section) if role == Qt.ItemDataRole.DisplayRole else None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; acquisitions stay together."""
        self._sorted_by = (max(column, 0), order == Qt.SortOrder.DescendingOrder)
        self._arrange()

    def _arrange(self, rows: tuple[PlannedSeries, ...] | None = None) -> None:
        column, descending = self._sorted_by
        self.beginResetModel()
        self._rows = self._rows if rows is None else rows
        self._shown = arranged(self._rows, self.columns[column].key, descending=descending, keep=self._matters)
        self.endResetModel()

    def _matters(self, row: PlannedSeries) -> bool:
        if self._only_looks and not needs_look(row):
            return False
        return not self._text or any(self._text in column.words(row).casefold() for column in self.columns)

    def _colour(self, row: PlannedSeries, column: Column) -> QBrush | None:
        if column.title == "Confidence":
            return QBrush(QColor(_COLOURS[confidence_words(row)]))
        if column.title == "Problems":
            return QBrush(QColor(_PROBLEM))
        return QBrush(QColor(_LEFT_OUT)) if row.role == "ignore" else None

    def _bracket(self, place: int) -> str:
        here = self._acquisition(place)
        above, below = self._acquisition(place - 1) == here, self._acquisition(place + 1) == here
        return {(False, False): " ", (False, True): "┌", (True, True): "│", (True, False): "└"}[above, below]

    def _acquisition(self, place: int) -> str | int | None:
        inside = 0 <= place < len(self._shown)
        return group_of(self._rows[self._shown[place]]) if inside else None
