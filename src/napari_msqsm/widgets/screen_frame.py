"""Directions and places of the screen in the scanner space of the image that is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.widgets.display import world_from_screen

if TYPE_CHECKING:
    from napari import Viewer
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.widgets.nudge_keys import Axis

Axes = dict["Axis", "NDArray[np.float64]"]


class ScreenFrame:
    """Follows the axes and the camera of a viewer.

    Parameters
    ----------
    viewer
        The viewer.
    grid
        Of the image, as `napari_msqsm.widgets.display.to_display` placed it.
    """

    def __init__(self, viewer: Viewer, grid: Grid) -> None:
        self._viewer = viewer
        self._world = world_from_screen(grid)

    def axes(self) -> Axes:
        """Directions of the screen as it is now, unit vectors in RAS+: to the right, down, along the slices."""
        columns = self._world[:3, :3].T
        through, down, across = (columns[axis] for axis in self._order())
        return {"across": across, "down": down, "through": through}

    def place_mm(self, point: Any) -> NDArray[np.float64]:
        """Position in mm RAS+ of a point of the viewer; its last three numbers are (z, y, x)."""
        return np.asarray((self._world @ np.array([*point[-3:], 1.0]))[:3])

    def centre_mm(self) -> NDArray[np.float64]:
        """Centre of the view in mm RAS+; in three dimensions, the point that the sliders are at."""
        point = np.array(self._viewer.dims.point[-3:], dtype=np.float64)
        if self._viewer.dims.ndisplay == 2:
            _, down, across = self._order()
            point[down], point[across] = self._viewer.scene.camera.center[-2:]
        return self.place_mm(point)

    def _order(self) -> tuple[int, int, int]:
        """Axes along the slices, down and across, counted from the last one."""
        through, down, across = (int(axis) - self._viewer.dims.ndim for axis in self._viewer.dims.order[-3:])
        return through, down, across


def swept(first: NDArray[np.float64], second: NDArray[np.float64], axes: Axes) -> tuple[NDArray[np.float64], float]:
    """Axis and angle in degrees of a turn in the plane that carries one direction into another."""
    angles = [np.arctan2(float(v @ axes["down"]), float(v @ axes["across"])) for v in (first, second)]
    return np.cross(axes["across"], axes["down"]), float(np.degrees(angles[1] - angles[0]))
