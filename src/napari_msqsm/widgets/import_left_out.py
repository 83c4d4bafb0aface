"""Files and series that could not be converted, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm.io.dicom.series import LeftOut


class LeftOutTable(QTableWidget):
    """One line each."""

    def __init__(self) -> None:
        super().__init__(0, 2)
        self.setHorizontalHeaderLabels(["What", "Why it is left out"])
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        if rows is not None and columns is not None:
            rows.hide()
            columns.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
            columns.setStretchLastSection(True)
        self.setColumnWidth(0, 320)

    def set_left_out(self, left_out: Sequence[LeftOut]) -> None:
        """Show what was left out."""
        self.setRowCount(len(left_out))
        for place, each in enumerate(left_out):
            for column, words in enumerate((each.what, each.why)):
                item = QTableWidgetItem(words)
                item.setToolTip(words)
                self.setItem(place, column, item)
