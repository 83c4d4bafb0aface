"""Controls of the comparison of two images: how to compare, nudging, refining, accepting."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_msqsm.widgets.inspect_words import HINTS, NUMBERS
from napari_msqsm.widgets.nudge_keys import MODE_KEYS, Mode, keys_html
from napari_msqsm.widgets.viewer_keys import focus_canvas

if TYPE_CHECKING:
    from napari_msqsm.widgets.inspect_view import InspectView

_STEPS = (0.1, 0.5, 1.0, 5.0)
_REFINE = "Refine from here"


class InspectBox(QWidget):
    """Follows an `InspectView`; without one it cannot be used.

    Signals
    -------
    refine_requested, accept_requested, close_requested
        The user wants that.
    """

    refine_requested = Signal()
    accept_requested = Signal()
    close_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._view: InspectView | None = None
        self._values = {mode: slider.start for mode, slider in NUMBERS.items()}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        rule = QFrame()
        rule.setFrameShape(QFrame.Shape.HLine)
        column.addWidget(rule)
        self.title = _label(column)
        column.addLayout(self._mode_buttons())
        column.addLayout(self._slider_line())
        self.shown = _label(column)
        column.addLayout(self._nudge_line())
        self.motion = _label(column)
        self.note = QLineEdit()
        self.note.setPlaceholderText("Note, kept with the transform")
        column.addWidget(self.note)
        column.addLayout(self._decision_line())
        self.keys = _label(column)
        self.keys.hide()
        for control in (*self.findChildren(QAbstractButton), *self.findChildren(QSlider), self.step):
            control.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys with the canvas

    def set_view(self, view: InspectView | None, *, note: str = "") -> None:
        """Follow another comparison, or none."""
        self._view = view
        self.note.setText(note)
        self.nudge.setChecked(False)
        if view is not None:
            self.title.setText(f"Comparing <b>{escape(view.names[1])}</b> with {escape(view.names[0])}")
            view.shown_changed.connect(self._renew_shown)
            view.transform_changed.connect(self._renew_motion)
            for mode in MODE_KEYS.values():
                self._apply(mode)
            self._take_step()
        self._renew_shown()
        self._renew_motion()

    def set_busy(self, words: str) -> None:
        """Say what is being done with this pair, during which it can be looked at only; empty when nothing is."""
        for widget in (self.refine, self.accept, self.nudge, self.note):
            widget.setEnabled(not words)
        if words:
            self.nudge.setChecked(False)
        self.refine.setText(words or _REFINE)

    def _mode_buttons(self) -> QHBoxLayout:
        line = QHBoxLayout()
        self.modes: dict[Mode, QPushButton] = {}
        group = QButtonGroup(self)
        for key, mode in MODE_KEYS.items():
            button = QPushButton(mode.capitalize())
            button.setToolTip(f"Key {key}")
            button.setCheckable(True)
            button.clicked.connect(lambda _, mode=mode: self._show(mode))
            group.addButton(button)
            line.addWidget(button)
            self.modes[mode] = button
        return line

    def _slider_line(self) -> QHBoxLayout:
        line = QHBoxLayout()
        self.slider_words, self.slider, self.slider_value = QLabel(), QSlider(Qt.Orientation.Horizontal), QLabel()
        self.slider.valueChanged.connect(self._on_slider)
        line.addWidget(self.slider_words)
        line.addWidget(self.slider, 1)
        line.addWidget(self.slider_value)
        return line

    def _nudge_line(self) -> QHBoxLayout:
        line = QHBoxLayout()
        self.nudge = QPushButton("Nudge by hand")
        self.nudge.setCheckable(True)
        self.nudge.setToolTip("Move the picture with keys and mouse")
        self.nudge.toggled.connect(self._on_nudge)
        self.step = QComboBox()
        for step in _STEPS:
            self.step.addItem(f"{step:g} mm, {step:g}°", step)
        self.step.setCurrentIndex(1)
        self.step.setToolTip("Length and angle of one step")
        self.step.currentIndexChanged.connect(self._take_step)
        self.undo, self.reset = QPushButton("Undo"), QPushButton("Reset")
        self.undo.setToolTip("Take the last step back")
        self.reset.setToolTip("Back to the transform that was found")
        self.undo.clicked.connect(self._undo)
        self.reset.clicked.connect(self._reset)
        for widget in (self.nudge, self.step, self.undo, self.reset):
            line.addWidget(widget)
        return line

    def _decision_line(self) -> QHBoxLayout:
        line = QHBoxLayout()
        self.refine, self.accept, self.close_button = QPushButton(_REFINE), QPushButton("Accept"), QPushButton("Close")
        self.refine.setToolTip("Register again, beginning where the picture lies now")
        self.accept.setToolTip("Keep the transform as it is seen now, checked by you")
        self.close_button.setToolTip("Take the comparison off; what was not accepted is not kept")
        self.refine.clicked.connect(self.refine_requested)
        self.accept.clicked.connect(self.accept_requested)
        self.close_button.clicked.connect(self.close_requested)
        self.keys_button = QToolButton()
        self.keys_button.setText("Keys")
        self.keys_button.setToolTip("Show or hide what the keys do")
        self.keys_button.setCheckable(True)
        self.keys_button.toggled.connect(lambda on: self.keys.setVisible(on))
        for button in (self.refine, self.accept, self.close_button, self.keys_button):
            line.addWidget(button)
        return line

    def _show(self, mode: Mode) -> None:
        if self._view is not None:
            self._view.show(mode)

    def _renew_shown(self) -> None:
        view = self._view
        if view is None:
            return
        slider = NUMBERS[view.mode]
        self.modes[view.mode].setChecked(True)
        self.slider.blockSignals(True)
        self.slider.setRange(slider.low, slider.high)
        self.slider.setValue(self._values[view.mode])
        self.slider.blockSignals(False)
        self.slider_words.setText(slider.words)
        self._show_value(view.mode)
        if view.mode == "blend":
            self._apply("blend")  # every other way shows the moving image fully
        hint = HINTS[view.mode].format(fixed=view.names[0], moving=view.names[1])
        now = f"<b>Shown: {escape(view.names[view.shows_moving])}.</b> " if view.mode == "flicker" else ""
        self.shown.setText(now + escape(hint))

    def _renew_motion(self) -> None:
        view = self._view
        self.undo.setEnabled(view is not None and view.can_undo)
        self.reset.setEnabled(view is not None and view.was_moved)
        if view is not None:
            shift_mm, angle_deg = view.motion()
            moved = f"Moved by {shift_mm:.1f} mm and turned by {angle_deg:.1f}° from where it was."
            how = "Arrow keys or the mouse move it, with Shift they turn it." if view.nudging else "Not moved by hand."
            self.motion.setText(moved if view.was_moved else how)
            self.keys.setText(keys_html(nudging=view.nudging))

    def _on_slider(self, position: int) -> None:
        if self._view is not None:
            self._values[self._view.mode] = position
            self._apply(self._view.mode)
            self._show_value(self._view.mode)

    def _show_value(self, mode: Mode) -> None:
        slider = NUMBERS[mode]
        self.slider_value.setText(f"{self._values[mode] * slider.factor:g} {slider.unit}")

    def _apply(self, mode: Mode) -> None:
        """Hand the number of a way to compare to the view."""
        if self._view is None:
            return
        value = self._values[mode] * NUMBERS[mode].factor
        if mode == "flicker":
            self._view.set_interval(round(1000 * value))
        elif mode == "checkerboard":
            self._view.layers.set_square(value)
        elif mode == "blend" and self._view.mode == "blend":
            self._view.layers.set_opacity(value / 100)
        elif mode == "edges":
            self._view.layers.set_faintest_edge(value / 100)
        elif mode == "difference":
            self._view.layers.set_largest_difference(value / 100)

    def _on_nudge(self, on: bool) -> None:
        if self._view is not None:
            self._view.set_nudging(on)
            self._renew_motion()
            focus_canvas(self)

    def _undo(self) -> None:
        if self._view is not None:
            self._view.undo()

    def _reset(self) -> None:
        if self._view is not None:
            self._view.reset()

    def _take_step(self) -> None:
        if self._view is not None:
            self._view.step_mm = self._view.step_deg = float(self.step.currentData())


def _label(column: QVBoxLayout) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    column.addWidget(label)
    return label
