"""Table of a patient's image pairs: what they are, how well they lie on each other, who looked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from napari_msqsm.widgets.coregister_words import VERDICT_COLOURS, pair_details, row_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QKeyEvent

    from napari_msqsm.workflow.coregistration.patient import Pair, PairState

_COLUMNS = ("Session", "Image", "Verdict", "Apart (mm)", "Checked by")
_VERDICT = 2
_NUMBER = 3


class CoregisterTable(QTableWidget):
    """One row for each pair.

    Signals
    -------
    inspect_requested
        A row was double clicked, or Enter was pressed on it: its `Pair`.
    """

    inspect_requested = Signal(object)

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        self._rows: list[tuple[Pair, PairState]] = []
        self.setHorizontalHeaderLabels(list(_COLUMNS))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setIconSize(QSize(8, 8))
        self.setStyleSheet("QTableWidget::item { padding: 0px 6px; }")
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        assert rows is not None
        assert columns is not None
        rows.hide()
        columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        columns.setStretchLastSection(True)
        number = self.horizontalHeaderItem(_NUMBER)
        assert number is not None
        number.setToolTip("How far a second, independent method puts the brain from where the transform puts it")
        self.itemDoubleClicked.connect(lambda item: self._request(item.row()))

    def set_rows(self, rows: Sequence[tuple[Pair, PairState]], *, running: str = "") -> None:
        """Show pairs and their states; ``running`` is the name of the pair at work. The selection stays."""
        selected = self.selected
        self._rows = list(rows)
        self.setRowCount(len(rows))
        for index, (pair, state) in enumerate(rows):
            row = row_of(pair, state, running=pair.name == running)
            words = (row.session, row.image, row.verdict_words, row.disagreement, row.checked)
            for column, text in enumerate(words):
                item = QTableWidgetItem(text)
                item.setToolTip(pair_details(pair, state))
                if column == _VERDICT:
                    item.setData(Qt.ItemDataRole.DecorationRole, QColor(VERDICT_COLOURS[row.verdict]))
                if column == _NUMBER:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.setItem(index, column, item)
        if selected is not None:
            self.select(selected[0])

    @property
    def rows(self) -> list[tuple[Pair, PairState]]:
        """Pairs and states shown."""
        return list(self._rows)

    @property
    def selected(self) -> tuple[Pair, PairState] | None:
        """Pair of the current row, and its state."""
        row = self.currentRow()
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def select(self, pair: Pair) -> None:
        """Select the row of a pair; none when it has no row."""
        row = next((index for index, (each, _) in enumerate(self._rows) if each.xfm == pair.xfm), -1)
        self.setCurrentCell(row, 0 if row >= 0 else -1)
        item = self.item(row, 0)
        if item is not None:
            self.scrollToItem(item)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Let Enter do what a double click does."""
        if event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._request(self.currentRow())
        else:
            super().keyPressEvent(event)

    def _request(self, row: int) -> None:
        if 0 <= row < len(self._rows):
            self.inspect_requested.emit(self._rows[row][0])
