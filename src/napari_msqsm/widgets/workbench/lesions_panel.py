"""The Lesions panel: mark, draw, carry over, propagate, look, with a curve beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QTableView,
    QTabWidget,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_msqsm.widgets.panel import Panel
from napari_msqsm.widgets.settings_form import Choice
from napari_msqsm.widgets.workbench.actions import LesionActions
from napari_msqsm.widgets.workbench.curve_view import CurveView
from napari_msqsm.widgets.workbench.details_box import DetailsBox
from napari_msqsm.widgets.workbench.keys import keys_html
from napari_msqsm.widgets.workbench.lesion_model import LesionModel, short
from napari_msqsm.widgets.workbench.onset_box import OnsetBox
from napari_msqsm.widgets.workbench.patient_bar import PatientBar
from napari_msqsm.widgets.workbench.sessions_box import SessionsBox
from napari_msqsm.widgets.workbench.stage import Stage
from napari_msqsm.widgets.workbench.tools_box import ToolsBox

if TYPE_CHECKING:
    import napari

_STAGES = {Stage.ONSET: "Onset", Stage.FLAIR: "FLAIR", Stage.QSM: "QSM", Stage.ALL: "Time points"}
_LIST_HEIGHT = 150


class LesionsPanel(Panel):
    """Work on the lesions of the selected patient."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer)
        self.work = self.coordinator.workbench
        self.lesion_actions = LesionActions(self.work, self.coordinator, self)
        column = QVBoxLayout(self)
        self.bar = PatientBar(self.work, self.coordinator)
        column.addWidget(self.bar)
        column.addLayout(self._stage_line())
        self.model = LesionModel()
        column.addWidget(self._list())
        column.addLayout(self._list_line())
        self.tools, self.onset = ToolsBox(self.work.canvas), OnsetBox(self.work, self.lesion_actions)
        self.sessions, self.details = (
            SessionsBox(self.work, self.lesion_actions),
            DetailsBox(self.work, self.lesion_actions),
        )
        keys = QTextBrowser()
        keys.setHtml(keys_html())
        self.tabs = QTabWidget()
        for page, words in (
            (_scrolled(self.onset), "Onset"),
            (_scrolled(self.tools), "Draw"),
            (self.sessions, "Time points"),
            (_scrolled(self.details), "Details"),
            (keys, "Keys"),
        ):
            self.tabs.addTab(page, words)
        self.tabs.setCurrentIndex(1)
        column.addWidget(self.tabs, 1)
        self.curve = CurveView(self.work)
        column.addWidget(self.curve)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self.words)
        self._connect()
        self._on_opened()

    def show_session(self, session: str) -> None:
        """Show another session in the stage that is shown, at the chosen lesion."""
        stage = self.work.canvas.stage or Stage.FLAIR
        self.work.show(stage, session, jump=True)

    def _connect(self) -> None:
        work, canvas = self.work, self.work.canvas
        work.opened.connect(self._on_opened)
        work.changed.connect(self._on_changed)
        work.selected.connect(self._on_selected)
        work.tracked_changed.connect(self._on_tracked)
        work.told.connect(self._say)
        canvas.stage_changed.connect(self._renew_stage)
        canvas.next_lesion_requested.connect(self._next_lesion)
        canvas.next_session_requested.connect(self._next_session)
        self.sessions.session_requested.connect(self.show_session)
        self.curve.session_requested.connect(self.show_session)
        self.coordinator.failed.connect(self._say)
        self.coordinator.study_changed.connect(self._on_study)
        self.coordinator.selection_changed.connect(self.bar.renew)

    def _stage_line(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(2)
        group = QButtonGroup(self)
        self.stages: dict[Stage, QPushButton] = {}
        for stage, words in _STAGES.items():
            button = QPushButton(words)
            button.setCheckable(True)
            button.clicked.connect(lambda _, stage=stage: self._show_stage(stage))
            group.addButton(button)
            self.stages[stage] = button
            line.addWidget(button)
        line.addStretch(1)
        self.previous, self.next = QToolButton(), QToolButton()
        for arrow, words, step in ((self.previous, "◀", -1), (self.next, "▶", 1)):
            arrow.setText(words)
            arrow.clicked.connect(lambda _, step=step: self._next_session(step))
        self.session = Choice()
        self.session.activated.connect(lambda: self.show_session(str(self.session.currentData())))
        for widget in (self.previous, self.session, self.next):
            line.addWidget(widget)
        return line

    def _list(self) -> QTableView:
        self.list = QTableView()
        self.list.setModel(self.model)
        self.list.setFixedHeight(_LIST_HEIGHT)
        self.list.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        vertical, horizontal = self.list.verticalHeader(), self.list.horizontalHeader()
        if vertical is not None and horizontal is not None:
            vertical.hide()
            vertical.setDefaultSectionSize(20)
            horizontal.setStretchLastSection(True)
        self.list.clicked.connect(lambda index: self._choose(self.model.label(index.row())))
        return self.list

    def _list_line(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(2)
        self.buttons: dict[str, QPushButton] = {}
        actions, canvas = self.lesion_actions, self.work.canvas
        for words, tip, slot in (
            ("New", "A new lesion of the session that is shown", actions.new_lesion),
            ("Delete", "Delete the chosen lesion", actions.delete),
            ("Split…", "Split the chosen lesion where it is confluent, on the FLAIR that is shown", actions.split),
            ("Masks", "Lesions that were drawn elsewhere", None),
            ("↶", "", canvas.undo),
            ("↷", "", canvas.redo),
        ):
            button = QPushButton(words)
            button.setToolTip(tip)
            if slot is None:
                button.setMenu(self._masks_menu())
            else:
                button.clicked.connect(lambda _, slot=slot: slot())
            self.buttons[words] = button
            line.addWidget(button)
        return line

    def _masks_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        actions = self.lesion_actions
        for words, tip, slot in (
            ("From a file…", "The lesions of a mask or label image on this session's FLAIR", actions.take_masks),
            ("Parts", "Every separate part that is drawn on this FLAIR becomes a lesion", actions.take_parts),
            ("Same in all sessions", "Lesions at the same place get one label in all sessions", actions.match),
        ):
            entry = menu.addAction(words)
            if entry is not None:
                entry.setToolTip(tip)
                entry.triggered.connect(lambda _, slot=slot: slot())
        return menu

    def _on_opened(self) -> None:
        self.model.set_drawing(self.work.drawing)
        self.model.set_tracked(self.work.tracked)
        maps, drawing = self.work.maps, self.work.drawing
        self.session.clear()
        for session in () if maps is None else maps.sessions:
            self.session.addItem(short(session.label), session.label)
        for widget in (*self.stages.values(), *self.buttons.values(), self.session, self.previous, self.next):
            widget.setEnabled(drawing is not None)
        self.tabs.setEnabled(drawing is not None)
        if maps is not None and drawing is not None:
            self._say("" if not drawing.read_only else drawing.read_only)
            self._resize()
            first = Stage.FLAIR if maps.contrast_grid(maps.baseline.label, "FLAIR") is not None else Stage.QSM
            self.work.show(first, maps.baseline.label)
        self._on_changed()

    def _on_changed(self) -> None:
        self.model.renew()
        drawing = self.work.drawing
        for words, name in (("↶", "can_undo"), ("↷", "can_redo")):
            title = "" if drawing is None else str(getattr(drawing, name))
            self.buttons[words].setEnabled(bool(title))
            self.buttons[words].setToolTip(f"{'Undo' if words == '↶' else 'Do again'}: {title}" if title else "")
        self._mark_row()
        self.bar.renew()

    def _on_selected(self, _: int) -> None:
        self._mark_row()
        self._say("")

    def _on_tracked(self) -> None:
        self.model.set_tracked(self.work.tracked)
        self._resize()

    def _on_study(self) -> None:
        self.bar.on_study()

    def _mark_row(self) -> None:
        row = self.model.row(self.work.label)
        if row >= 0:
            self.list.selectRow(row)
        else:
            self.list.clearSelection()

    def _choose(self, label: int) -> None:
        self.work.select(label)
        self.work.canvas.jump_to(label)

    def _next_lesion(self, step: int) -> None:
        count = self.model.rowCount()
        if count:
            row = self.model.row(self.work.label)
            self._choose(self.model.label((row + step) % count if row >= 0 else 0))

    def _next_session(self, step: int) -> None:
        index = self.session.currentIndex() + step
        if 0 <= index < self.session.count():
            self.show_session(str(self.session.itemData(index)))

    def _show_stage(self, stage: Stage) -> None:
        if self.work.canvas.session:
            self.work.show(stage, self.work.canvas.session, jump=False)

    def _renew_stage(self) -> None:
        canvas = self.work.canvas
        if canvas.stage is not None:
            self.stages[canvas.stage].setChecked(True)
        self.session.setCurrentIndex(self.session.findData(canvas.session))

    def _resize(self) -> None:
        self.list.resizeColumnsToContents()

    def _say(self, sentence: str, _: str = "") -> None:
        self.words.setText(sentence)
        self.words.setVisible(bool(sentence))


def _scrolled(inner: QWidget) -> QScrollArea:
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QScrollArea.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(inner)
    return scroll
