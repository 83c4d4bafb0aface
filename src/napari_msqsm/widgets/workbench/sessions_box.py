"""The chosen lesion at every session: its region, whether it was looked at, its χ, what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_msqsm.widgets.workbench.lesion_model import short
from napari_msqsm.workflow.measure.flags import FLAGS
from napari_msqsm.workflow.workbench.region_at import roi_source

if TYPE_CHECKING:
    from napari_msqsm.widgets.workbench.actions import LesionActions
    from napari_msqsm.widgets.workbench.work import WorkbenchWork
    from napari_msqsm.workflow.measure.live import CurvePoint
    from napari_msqsm.workflow.workbench.local_shift import ShiftFound

_COLUMNS = ("Session", "Age (y)", "Region", "Seen", "χ (ppb)", "Look out")


class SessionsBox(QWidget):
    """One row for each session.

    Signals
    -------
    session_requested
        A row was clicked: the session's BIDS name.
    """

    session_requested = Signal(str)

    def __init__(self, work: WorkbenchWork, actions: LesionActions) -> None:
        super().__init__()
        self._work, self._actions = work, actions
        self._found: ShiftFound | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        line = QHBoxLayout()
        self.carry_button = QPushButton("Carry to QSM")
        self.carry_button.setToolTip("Carry the region from FLAIR to the grid that χ is measured in")
        self.carry_button.clicked.connect(actions.carry)
        self.propagate_button = QPushButton("Propagate")
        self.propagate_button.setToolTip("Carry the onset region to every later session")
        self.propagate_button.clicked.connect(actions.propagate)
        self.review_button = QPushButton("Reviewed")
        self.review_button.setToolTip("You looked at the region at the session that is shown\nKey: Shift-Q")
        self.review_button.clicked.connect(actions.review)
        for button in (self.carry_button, self.propagate_button, self.review_button):
            line.addWidget(button)
        column.addLayout(line)
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.setHorizontalHeaderLabels(_COLUMNS)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        vertical, horizontal = self.table.verticalHeader(), self.table.horizontalHeader()
        if vertical is not None and horizontal is not None:
            vertical.hide()
            vertical.setDefaultSectionSize(20)
            horizontal.setStretchLastSection(True)
        self.table.cellClicked.connect(self._clicked)
        column.addWidget(self.table, 1)
        shift = QHBoxLayout()
        self.shift_button = QPushButton("Local shift")
        self.shift_button.setToolTip("How far the tissue about the lesion lies beside its region at the session shown")
        self.shift_button.clicked.connect(actions.look_for_shift)
        self.accept_button, self.drop_button = QPushButton("Accept"), QPushButton("Drop")
        self.accept_button.clicked.connect(self._accept)
        self.drop_button.clicked.connect(actions.drop_shift)
        for button in (self.shift_button, self.accept_button, self.drop_button):
            shift.addWidget(button)
        column.addLayout(shift)
        self.shift_words = QLabel()
        self.shift_words.setWordWrap(True)
        column.addWidget(self.shift_words)
        actions.shift_found.connect(self._show_shift)
        work.canvas.stage_changed.connect(self._on_stage)
        work.selected.connect(self._on_stage)
        for signal in (work.opened, work.changed, work.curve_changed):
            signal.connect(self.renew)
        self.renew()

    def renew(self) -> None:
        """Show the chosen lesion as it is now."""
        drawing, maps, label = self._work.drawing, self._work.maps, self._work.label
        lesion = None if drawing is None else drawing.lesion(label)
        for button in (self.carry_button, self.propagate_button, self.review_button, self.shift_button):
            button.setEnabled(lesion is not None)
        points = {point.session: point for point in self._work.curve}
        sessions = () if maps is None or lesion is None else maps.sessions
        self.table.setRowCount(len(sessions))
        for row, session in enumerate(sessions):
            if drawing is None:
                break
            state = drawing.follow_up(label, session.label)
            seen = "✓" if state.reviewed else "not yet" if state.propagated else ""
            source = "" if state.shift_mm is None else " (shifted)"
            point = points.get(session.label)
            cells = (
                short(session.label),
                "" if point is None or point.age_y is None else f"{point.age_y:.2f}",
                f"{roi_source(drawing, label, session.label)}{source}",
                seen,
                "" if point is None or point.chi_ppb is None else f"{point.chi_ppb:.1f}",
                _flag_words(point),
            )
            tips = ("", "", "", f"by {state.reviewed_by}" if state.reviewed else "", _chi_tip(point), _flag_tip(point))
            for number, (text, tip) in enumerate(zip(cells, tips, strict=True)):
                item = QTableWidgetItem(text)
                item.setToolTip(tip or text)
                item.setData(Qt.ItemDataRole.UserRole, session.label)
                self.table.setItem(row, number, item)
            if session.label == self._work.canvas.session:
                self.table.blockSignals(True)
                self.table.selectRow(row)
                self.table.blockSignals(False)
        self.table.resizeColumnsToContents()
        self.accept_button.setEnabled(self._found is not None and self._found.shift is not None)
        shown = None if drawing is None else drawing.follow_up(label, self._work.canvas.session)
        self.drop_button.setEnabled(shown is not None and shown.shift_mm is not None)

    def _clicked(self, row: int, _: int) -> None:
        item = self.table.item(row, 0)
        if item is not None:
            self.session_requested.emit(str(item.data(Qt.ItemDataRole.UserRole)))

    def _on_stage(self, *_: object) -> None:
        self._found = None
        self.shift_words.setText("")
        self.renew()

    def _show_shift(self, found: ShiftFound) -> None:
        self._found = found
        self.shift_words.setText(f"{short(found.session)}: {found.words}")
        self.renew()

    def _accept(self) -> None:
        if self._found is not None:
            self._actions.accept_shift(self._found)


def _flag_words(point: CurvePoint | None) -> str:
    return "" if point is None else ", ".join(FLAGS[name].title for name in point.flags)


def _flag_tip(point: CurvePoint | None) -> str:
    if point is None:
        return ""
    return "\n\n".join(f"{FLAGS[name].title}: {FLAGS[name].definition}" for name in point.flags)


def _chi_tip(point: CurvePoint | None) -> str:
    if point is None or point.raw_ppb is None:
        return ""
    nawm = "unknown" if point.nawm_ppb is None else f"{point.nawm_ppb:.1f}"
    return f"lesion {point.raw_ppb:.1f} ppb, white matter {nawm} ppb"
