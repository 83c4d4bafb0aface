"""Contour and polygon: what they enclose is filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.lesions.tools.brush import brush_voxels
from napari_msqsm.lesions.tools.contour import contour_voxels
from napari_msqsm.widgets.workbench.tool import Tool

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.widgets.workbench.easel import Easel, Spot

_FINE = 0.01
_NEAR_VOXELS = 1.5
_NOTHING = np.empty(0, dtype=np.int64)


class ContourTool(Tool):
    """Draws a line with the mouse; when the button is let go, it closes itself and is filled."""

    title = "contour"

    def __init__(self) -> None:
        self._way: list[Spot] = []
        self._shown: list[NDArray[np.int64]] = []

    def press(self, easel: Easel, spot: Spot) -> None:
        """Begin the line."""
        self.drop(easel)
        if easel.ready():
            self._way = [spot]

    def drag(self, easel: Easel, spot: Spot) -> None:
        """Draw on to where the mouse is."""
        if self._way:
            self._draw_to(easel, spot)

    def release(self, easel: Easel) -> None:
        """Close the line and fill it."""
        if self._way:
            self._fill(easel)

    def drop(self, easel: Easel) -> bool:
        """Forget the line."""
        if not self._way:
            return False
        self._way, self._shown = [], []
        easel.preview(_NOTHING)
        return True

    def _draw_to(self, easel: Easel, spot: Spot) -> None:
        self._shown.append(_line(easel, self._way[-1], spot))
        self._way.append(spot)
        easel.preview(np.unique(np.concatenate(self._shown)))

    def _fill(self, easel: Easel) -> None:
        way = list(self._way)
        self.drop(easel)
        if len(way) < 3:
            return
        enclosed = contour_voxels(easel.grid.shape, np.array([spot.voxel for spot in way]), axis=way[0].axis)
        easel.write(enclosed, 0 if way[-1].shift else easel.label)
        easel.finish(self.title)


class PolygonTool(ContourTool):
    """Sets corners by clicks; a double click, Enter or a click on the first corner closes it and fills it."""

    title = "polygon"

    def press(self, easel: Easel, spot: Spot) -> None:
        """Set a corner."""
        if not self._way or self._way[0].axis != spot.axis or _slice(self._way[0]) != _slice(spot):
            super().press(easel, spot)
            if self._way:
                easel.preview(_line(easel, spot, spot))
            return
        if len(self._way) > 2 and np.abs(np.subtract(spot.voxel, self._way[0].voxel)).max() < _NEAR_VOXELS:
            self._fill(easel)
        else:
            self._draw_to(easel, spot)

    def drag(self, easel: Easel, spot: Spot) -> None:
        """Do nothing: corners are set by clicks."""

    def release(self, easel: Easel) -> None:
        """Wait for the next corner."""

    def double_click(self, easel: Easel, spot: Spot) -> None:  # noqa: ARG002
        """Close it."""
        self.accept(easel)

    def accept(self, easel: Easel) -> bool:
        """Close it and fill it."""
        if not self._way:
            return False
        self._fill(easel)
        return True


def _slice(spot: Spot) -> int:
    return int(np.floor(spot.voxel[spot.axis] + 0.5))


def _line(easel: Easel, start: Spot, end: Spot) -> NDArray[np.int64]:
    size = easel.grid.voxel_size_mm
    return brush_voxels(easel.grid.shape, size, start.voxel, end.voxel, radius_mm=_FINE * min(size), axis=end.axis)
