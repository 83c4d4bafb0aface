"""A matplotlib figure in a panel, in the colours of the window, whose points have names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QEvent, Signal
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import QVBoxLayout, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_NEAR_PIXELS = 8.0


class FigureView(QWidget):
    """Shows one figure; the points of its first axes can be named and clicked.

    Signals
    -------
    picked
        A point was clicked: its number.
    """

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
        from matplotlib.figure import Figure

        self.figure: Figure = Figure(layout="constrained")
        self.canvas: Any = FigureCanvasQTAgg(self.figure)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.canvas)
        self._points: NDArray[np.float64] = np.empty((0, 2))
        self._names: Sequence[str] = ()
        self._axes: Any = None
        self._note: Any = None
        self.canvas.mpl_connect("motion_notify_event", self._hover)
        self.canvas.mpl_connect("button_press_event", self._click)

    def draw(
        self,
        paint: Callable[[Figure], Any],
        *,
        points: NDArray[np.float64] | None = None,
        names: Sequence[str] = (),
    ) -> None:
        """Draw anew.

        Parameters
        ----------
        paint
            Draws into the empty figure; returns the axes whose points are named, or None.
        points
            (n, 2) places of the points in those axes.
        names
            Of the points.
        """
        self.figure.clear()
        self._axes = paint(self.figure)
        self._points = np.empty((0, 2)) if points is None else points
        self._names = names
        self._note = None
        if self._axes is not None:
            self._note = self._axes.annotate(
                "",
                (0.0, 0.0),
                xytext=(8, 8),
                textcoords="offset points",
                bbox={"boxstyle": "round", "facecolor": "#ffffe0", "edgecolor": "none"},
                color="black",
                fontsize=8,
                visible=False,
                zorder=10,
            )
            self._note.set_in_layout(False)
        self._wear_theme()
        self.canvas.draw_idle()

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme of the window."""
        super().changeEvent(event)
        if event is not None and event.type() in {QEvent.Type.PaletteChange, QEvent.Type.StyleChange}:
            self._wear_theme()
            self.canvas.draw_idle()

    def _wear_theme(self) -> None:
        palette = self.palette()
        back = palette.color(QPalette.ColorRole.Window).name()
        front = palette.color(QPalette.ColorRole.WindowText).name()
        self.figure.set_facecolor(back)
        for axes in self.figure.axes:
            axes.set_facecolor(back)
            axes.tick_params(colors=front, which="both")
            axes.title.set_color(front)
            for label in (axes.xaxis.label, axes.yaxis.label):
                label.set_color(front)
            for spine in axes.spines.values():
                spine.set_edgecolor(front)
            for line in axes.lines:
                if line.get_color() == "black":
                    line.set_color(front)
            for text in axes.texts:
                if text is not self._note:
                    text.set_color(front)
            legend = axes.get_legend()
            for text in legend.get_texts() if legend is not None else ():
                text.set_color(front)

    def nearest(self, event: Any) -> int | None:
        """Return the number of the point under the mouse; None where there is none near."""
        if self._axes is None or event.inaxes is not self._axes or not len(self._points):
            return None
        apart = np.hypot(*(self._axes.transData.transform(self._points) - (event.x, event.y)).T)
        closest = int(np.argmin(apart))
        return closest if apart[closest] <= _NEAR_PIXELS * self.canvas.device_pixel_ratio else None

    def _hover(self, event: Any) -> None:
        if self._note is None:
            return
        point = self.nearest(event)
        if point is None:
            if self._note.get_visible():
                self._note.set_visible(False)
                self.canvas.draw_idle()
            return
        self._note.xy = tuple(self._points[point])
        self._note.set_text(self._names[point])
        self._note.set_visible(True)
        self.canvas.draw_idle()

    def _click(self, event: Any) -> None:
        point = self.nearest(event)
        if point is not None:
            self.picked.emit(point)
