"""Rows of the lesion table, as a table model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt

from napari_msqsm.workflow.measure.columns import COLUMNS
from napari_msqsm.workflow.measure.flags import FLAGS, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm.workflow.measure.row import LesionRow

_FIRST = (
    "patient_id",
    "lesion_id",
    "session_id",
    "lesion_age_y",
    "chi_ppb",
    "nawm_se_ppb",
    "volume_mm3",
    "roi_source",
    "qc_flags",
    "eligible",
)
"""Columns that come first on screen; the file keeps its own order."""
SORT_ROLE = int(Qt.ItemDataRole.UserRole)


class RowModel(QAbstractTableModel):
    """Lesion × session."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: Sequence[LesionRow] = ()
        self._columns = (*_FIRST, *(name for name in COLUMNS if name not in _FIRST))

    def set_rows(self, rows: Sequence[LesionRow]) -> None:
        """Take other rows."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of rows."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return names of the columns, and what they mean."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        name = self._columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return name
        return COLUMNS[name].description if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows; `SORT_ROLE` for what it is sorted by."""
        if not index.isValid():
            return None
        name = self._columns[index.column()]
        value = getattr(self.rows[index.row()], name)
        if role == SORT_ROLE:
            return value if value is not None else ""
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(name, value)
        if role == Qt.ItemDataRole.ToolTipRole and name == "qc_flags":
            return "\n\n".join(f"{FLAGS[each].title}: {FLAGS[each].definition}" for each in split(value))
        if role == Qt.ItemDataRole.TextAlignmentRole and isinstance(value, int | float):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "qc_flags":
        return ", ".join(FLAGS[each].title for each in split(value))
    return f"{value:.2f}" if isinstance(value, float) else str(value)
