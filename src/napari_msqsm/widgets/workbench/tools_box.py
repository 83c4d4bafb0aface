"""Tools as buttons, the brush, and how it paints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_msqsm.widgets.workbench.canvas import LARGEST_MM, SMALLEST_MM
from napari_msqsm.widgets.workbench.keys import all_keys
from napari_msqsm.widgets.workbench.tools import TOOLS

if TYPE_CHECKING:
    from napari_msqsm.widgets.workbench.canvas import DrawingCanvas

_COLUMNS = 3
_SLIDER = 100
_KEY_OF = {each.action: each.key for each in all_keys()}


class ToolsBox(QWidget):
    """Shows and sets the canvas' tool."""

    def __init__(self, canvas: DrawingCanvas) -> None:
        super().__init__()
        self._canvas = canvas
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.addLayout(self._tools())
        column.addLayout(self._brush())
        column.addLayout(self._range())
        column.addLayout(self._proposal())
        column.addLayout(self._slices())
        column.addLayout(self._looks())
        column.addStretch(1)
        canvas.tool_changed.connect(self.renew)
        canvas.brush_changed.connect(self.renew)
        canvas.look_changed.connect(self.renew)
        canvas.proposal_changed.connect(self._show_proposal)
        self.renew()

    def renew(self, *_: object) -> None:
        """Show the canvas as it is now."""
        self.buttons[self._canvas.tool].setChecked(True)
        self.brush.blockSignals(True)
        self.brush.setValue(self._canvas.brush_mm)
        self.brush.blockSignals(False)
        for name, box in self.switches.items():
            box.blockSignals(True)
            box.setChecked(self._canvas.switches[name])  # type: ignore[index]
            box.blockSignals(False)
        self.words.setText(TOOLS[self._canvas.tool].words)

    def _tools(self) -> QVBoxLayout:
        grid = QGridLayout()
        grid.setSpacing(3)
        group = QButtonGroup(self)
        self.buttons: dict[str, QPushButton] = {}
        for number, (name, tool) in enumerate(TOOLS.items()):
            button = QPushButton(tool.title)
            button.setCheckable(True)
            key = _KEY_OF.get(f"tool {name}", "")
            button.setToolTip(f"{tool.words}\nKey: {key}" if key else tool.words)
            button.clicked.connect(lambda _, name=name: self._canvas.set_tool(name))
            group.addButton(button)
            self.buttons[name] = button
            grid.addWidget(button, number // _COLUMNS, number % _COLUMNS)
        column = QVBoxLayout()
        column.addLayout(grid)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        column.addWidget(self.words)
        return column

    def _brush(self) -> QHBoxLayout:
        line = QHBoxLayout()
        self.brush = QDoubleSpinBox()
        self.brush.setRange(SMALLEST_MM, LARGEST_MM)
        self.brush.setSingleStep(0.5)
        self.brush.setDecimals(1)
        self.brush.setSuffix(" mm")
        self.brush.valueChanged.connect(self._canvas.set_brush_mm)
        self.switches = {"in_space": QCheckBox("in space (3-D)")}
        self.switches["in_space"].setToolTip("Paint balls through the slices instead of discs in one")
        self.switches["in_space"].toggled.connect(self._canvas.set_3d)
        line.addWidget(QLabel("Brush"))
        line.addWidget(self.brush)
        line.addWidget(self.switches["in_space"], 1)
        return line

    def _range(self) -> QHBoxLayout:
        line = QHBoxLayout()
        self.by_range = QCheckBox("Adaptive: only between")
        self.by_range.setToolTip("Otherwise what belongs is learnt from the lesion and what is around the brush")
        self.low, self.high = QDoubleSpinBox(), QDoubleSpinBox()
        for box in (self.low, self.high):
            box.setRange(-1e6, 1e6)
            box.setDecimals(0)
            box.valueChanged.connect(self._take_range)
        self.high.setValue(1000)
        self.by_range.toggled.connect(self._take_range)
        line.addWidget(self.by_range)
        line.addWidget(self.low)
        line.addWidget(QLabel("and"))
        line.addWidget(self.high)
        return line

    def _proposal(self) -> QHBoxLayout:
        line = QHBoxLayout()
        self.size_slider = QSlider(Qt.Orientation.Horizontal)
        self.size_slider.setRange(0, _SLIDER)
        self.size_slider.setToolTip("Size of what is proposed")
        self.size_slider.valueChanged.connect(lambda value: self._canvas.set_proposal_size(value / _SLIDER))
        self.accept_button, self.drop_button = QPushButton("Accept"), QPushButton("Drop")
        self.accept_button.clicked.connect(self._canvas.accept)
        self.drop_button.clicked.connect(self._canvas.drop)
        line.addWidget(QLabel("Proposal"))
        line.addWidget(self.size_slider, 1)
        line.addWidget(self.accept_button)
        line.addWidget(self.drop_button)
        self._show_proposal(-1.0)
        return line

    def _slices(self) -> QHBoxLayout:
        line = QHBoxLayout()
        for words, tip, slot in (
            ("Interpolate", "Fill the slices between those that were drawn", self._canvas.interpolate),
            ("Copy ↑", "Copy this slice's region to the next slice", lambda: self._canvas.copy_slice(1)),
            ("Copy ↓", "Copy this slice's region to the previous slice", lambda: self._canvas.copy_slice(-1)),
        ):
            button = QPushButton(words)
            button.setToolTip(tip)
            button.clicked.connect(lambda _, slot=slot: slot())
            line.addWidget(button)
        return line

    def _looks(self) -> QHBoxLayout:
        line = QHBoxLayout()
        for name, words in (("only", "only this lesion"), ("outlines", "outlines"), ("hidden", "hide")):
            box = QCheckBox(words)
            box.toggled.connect(lambda on, name=name: self._canvas.switch(name, on))
            self.switches[name] = box
            line.addWidget(box)
        return line

    def _take_range(self, *_: object) -> None:
        chosen = self.by_range.isChecked()
        self._canvas.set_intensities((self.low.value(), self.high.value()) if chosen else None)

    def _show_proposal(self, size: float) -> None:
        there = size >= 0
        for widget in (self.size_slider, self.accept_button, self.drop_button):
            widget.setEnabled(there)
        if there:
            self.size_slider.blockSignals(True)
            self.size_slider.setValue(round(size * _SLIDER))
            self.size_slider.blockSignals(False)
