"""The table of an import on screen: look, correct, open."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QModelIndex, QPoint, Qt, Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QAbstractItemView, QComboBox, QInputDialog, QMenu, QStyledItemDelegate, QTableView, QWidget

from napari_msqsm.widgets.import_model import ImportModel
from napari_msqsm.workflow.dicom_import.plan import ROLES
from napari_msqsm.workflow.dicom_import.row_words import gadolinium_words, role_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtCore import QAbstractItemModel
    from qtpy.QtWidgets import QStyleOptionViewItem

    from napari_msqsm.workflow.dicom_import.plan import PlannedSeries

_CHOICES: dict[str, tuple[tuple[str, Any], ...]] = {
    "role": tuple((role_words(role), role) for role in ROLES),
    "post_gd": tuple((gadolinium_words(post_gd=value), value) for value in (True, False, None)),
}
_WIDEST_PX = 260
_ROW_PX = 22


class ImportTable(QTableView):
    """One row per series.

    Signals
    -------
    row_selected
        The row that the user looks at; None when there is none.
    row_opened
        A row that was double-clicked where it cannot be edited.
    """

    row_selected = Signal(object)
    row_opened = Signal(object)

    def __init__(self, model: ImportModel) -> None:
        super().__init__()
        self.rows = model
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.SelectedClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setWordWrap(False)
        heads = self.verticalHeader()
        if heads is not None:
            heads.setDefaultSectionSize(_ROW_PX)
            heads.setMinimumWidth(_ROW_PX)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        for place, column in enumerate(model.columns):
            if column.field in _CHOICES:
                self.setItemDelegateForColumn(place, ChoiceDelegate(column.field, self))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._ask)
        self.doubleClicked.connect(self._on_double_click)
        model.modelAboutToBeReset.connect(self._remember)
        model.modelReset.connect(self._select_again)
        self._selected_uid = ""
        selection = self.selectionModel()
        if selection is not None:
            selection.currentRowChanged.connect(self._on_current)

    @property
    def selected(self) -> list[PlannedSeries]:
        """Rows that are selected."""
        selection = self.selectionModel()
        return [] if selection is None else [self.rows.row_at(index) for index in selection.selectedRows()]

    def fit_columns(self) -> None:
        """Make every column as wide as its words, none too wide."""
        self.resizeColumnsToContents()
        for place in range(self.rows.columnCount() - 1):
            self.setColumnWidth(place, min(self.columnWidth(place), _WIDEST_PX))
        header = self.horizontalHeader()
        if header is not None:
            header.setStretchLastSection(True)

    def change_selected(self, field: str, value: Any) -> None:
        """Ask for a change of all acquisitions that are selected."""
        series = {uid: None for row in self.selected for uid in self.rows.series_with(row)}
        if series:
            self.rows.edit_requested.emit(tuple(series), field, value)

    def menu(self) -> QMenu:
        """Make the menu of what can be done with the selected rows."""
        menu = QMenu(self)
        for field, title in (("role", "Becomes"), ("post_gd", "After gadolinium")):
            part = QMenu(title, menu)
            menu.addMenu(part)
            for words, value in _CHOICES[field]:
                _add(part, words, partial(self.change_selected, field, value))
        for field, title in (("patient_id", "Patient…"), ("session_id", "Session…")):
            _add(menu, title, partial(self._name, field, title))
        menu.addSeparator()
        _add(menu, "Show in the viewer", self._open_selected)
        return menu

    def _ask(self, where: QPoint) -> None:
        viewport = self.viewport()
        if self.selected and viewport is not None:
            self.menu().exec(viewport.mapToGlobal(where))

    def _name(self, field: str, title: str) -> None:
        now = str(getattr(self.selected[0], field)) if self.selected else ""
        name, is_given = QInputDialog.getText(
            self, title.rstrip("…"), f"Name of the {len(self.selected)} rows", text=now
        )
        if is_given and self.rows.check_label(field, name.strip()):
            self.change_selected(field, name.strip())

    def _open_selected(self) -> None:
        for row in self.selected[:1]:
            self.row_opened.emit(row)

    def _on_double_click(self, index: QModelIndex) -> None:
        if not self.rows.columns[index.column()].field:
            self.row_opened.emit(self.rows.row_at(index))

    def _on_current(self, index: QModelIndex, _: QModelIndex) -> None:
        self.row_selected.emit(self.rows.row_at(index) if index.isValid() else None)

    def _remember(self) -> None:
        index = self.currentIndex()
        if index.isValid():
            self._selected_uid = self.rows.row_at(index).series.series_uid

    def _select_again(self) -> None:
        place = self.rows.index_of(self._selected_uid)
        if place is not None:
            self.selectRow(place)


class ChoiceDelegate(QStyledItemDelegate):
    """Edits a cell by choosing from a list."""

    def __init__(self, field: str, table: QTableView) -> None:
        super().__init__(table)
        self._choices = _CHOICES[field]

    def createEditor(self, parent: QWidget | None, _: QStyleOptionViewItem, __: QModelIndex) -> QWidget:
        """Make the list."""
        box = QComboBox(parent)
        for words, value in self._choices:
            box.addItem(words, value)
        box.setMaxVisibleItems(len(self._choices) + 1)
        box.activated.connect(lambda: self._take(box))
        return box

    def setEditorData(self, editor: QWidget | None, index: QModelIndex) -> None:
        """Show what is chosen now, and the list."""
        if isinstance(editor, QComboBox):
            values = [value for _, value in self._choices]
            editor.setCurrentIndex(values.index(index.data(Qt.ItemDataRole.EditRole)))
            editor.showPopup()

    def setModelData(self, editor: QWidget | None, model: QAbstractItemModel | None, index: QModelIndex) -> None:
        """Ask for what was chosen."""
        if isinstance(editor, QComboBox) and model is not None:
            model.setData(index, self._choices[editor.currentIndex()][1])

    def _take(self, box: QComboBox) -> None:
        self.commitData.emit(box)
        self.closeEditor.emit(box)


def _add(menu: QMenu, words: str, action: Callable[[], None]) -> None:
    entry = QAction(words, menu)
    entry.triggered.connect(lambda *_: action())
    menu.addAction(entry)
