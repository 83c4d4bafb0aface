"""The small curve of the chosen lesion: ppb against age, renewed while it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_msqsm.widgets.figure_view import FigureView
from napari_msqsm.widgets.workbench.lesion_colours import lesion_colour
from napari_msqsm.widgets.workbench.lesion_model import short
from napari_msqsm.workflow.measure.flags import FLAGS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from napari_msqsm.widgets.workbench.work import WorkbenchWork
    from napari_msqsm.workflow.measure.live import CurvePoint

_HEIGHT = 165
_HARMLESS = {"not_reviewed", "small"}


class CurveView(QWidget):
    """Shows the curve; a click on a point asks for its session.

    Signals
    -------
    session_requested
        BIDS name of a session.
    """

    session_requested = Signal(str)

    def __init__(self, work: WorkbenchWork) -> None:
        super().__init__()
        self._work = work
        self._points: tuple[CurvePoint, ...] = ()
        self.figure = FigureView()
        self.figure.setFixedHeight(_HEIGHT)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.figure)
        self.figure.picked.connect(lambda point: self.session_requested.emit(self._points[point].session))
        work.curve_changed.connect(self.renew)
        work.canvas.stage_changed.connect(self.renew)
        work.opened.connect(self.renew)
        self.renew()

    def renew(self) -> None:
        """Draw the curve as it is now."""
        self._points = tuple(
            point for point in self._work.curve if point.age_y is not None and point.chi_ppb is not None
        )
        places = np.array([[point.age_y, point.chi_ppb] for point in self._points], dtype=np.float64).reshape(-1, 2)
        names = [_words(point) for point in self._points]
        self.figure.draw(self._paint, points=places, names=names)

    def _paint(self, figure: Figure) -> Axes:
        axes: Axes = figure.add_subplot()
        axes.set_xlabel("age (years)", fontsize=8)
        axes.set_ylabel("χ (ppb)", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        if not self._points:
            words = "the curve appears once the lesion has a region on QSM" if self._work.label else ""
            axes.set_axis_off()
            axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes, fontsize=8)
            return axes
        colour = lesion_colour(self._work.label)
        ages, chi = (np.array([getattr(point, name) for point in self._points]) for name in ("age_y", "chi_ppb"))
        axes.plot(ages, chi, "-", color=colour, linewidth=1.2)
        flagged = np.array([bool(set(point.flags) - _HARMLESS) for point in self._points])
        axes.plot(ages[~flagged], chi[~flagged], "o", color=colour, markersize=5)
        axes.plot(ages[flagged], chi[flagged], "x", color=colour, markersize=7, markeredgewidth=2)
        here = [number for number, point in enumerate(self._points) if point.session == self._work.canvas.session]
        axes.plot(ages[here], chi[here], "o", markersize=11, markerfacecolor="none", markeredgecolor="#f0c000")
        if ages.min() < 0 < ages.max():
            axes.axvline(0.0, color="black", linewidth=0.6, linestyle=":")
        return axes


def _words(point: CurvePoint) -> str:
    flags = ", ".join(FLAGS[name].title for name in point.flags)
    said = f"{short(point.session)}: {point.chi_ppb:.1f} ppb at {point.age_y:.2f} y"
    return f"{said}\n{flags}" if flags else said
