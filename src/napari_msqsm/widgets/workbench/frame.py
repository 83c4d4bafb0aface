"""Between places on the screen, voxels of a grid, and positions at the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

from napari_msqsm.widgets.display import to_display, world_from_screen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.transform import AffineTransform


class Frame:
    """Where an image is that `napari_msqsm.widgets.display.to_display` placed.

    Parameters
    ----------
    grid
        Of the image.
    from_baseline
        Scanner positions at the baseline → those of the image, mm; None where they are the same.
    """

    def __init__(self, grid: Grid, from_baseline: AffineTransform | None = None) -> None:
        self.grid = grid
        self._placed = to_display(np.broadcast_to(np.False_, grid.shape), grid)
        self._world = world_from_screen(grid)
        self._voxel_from_screen = np.linalg.inv(grid.affine) @ self._world
        self._from_baseline = np.eye(4) if from_baseline is None else from_baseline.matrix
        directions = [int(axis) for axis in nib.orientations.io_orientation(grid.affine)[:, 0]]
        self._axes = tuple(directions.index(2 - axis) for axis in range(3))

    def voxel_axis(self, screen_axis: int) -> int:
        """Axis of the image, 0…2 for X, Y, Z, of a display axis, 0…2 or −3…−1 for z, y, x."""
        return self._axes[screen_axis % 3]

    def screen_axis(self, voxel_axis: int) -> int:
        """Display axis, 0…2 for z, y, x, of an axis of the image."""
        return self._axes.index(voxel_axis)

    def voxel(self, point: Any) -> NDArray[np.float64]:
        """(3,) position in voxels (X, Y, Z) of a point of the viewer; its last three numbers are (z, y, x) in mm."""
        return np.asarray((self._voxel_from_screen @ np.array([*point[-3:], 1.0]))[:3])

    def screen(self, voxels: Any) -> NDArray[np.float64]:
        """(3,) or (n, 3) place on the screen (z, y, x) in mm of positions in voxels."""
        at = np.asarray(voxels, dtype=np.float64)
        matrix = np.linalg.inv(self._voxel_from_screen)
        return np.asarray(at @ matrix[:3, :3].T + matrix[:3, 3])

    def screen_of_index(self, index: Any) -> NDArray[np.float64]:
        """(3,) place on the screen in mm of the voxel of the layer with an index (z, y, x)."""
        return np.asarray(np.asarray(index, dtype=np.float64) * self._placed.scale + self._placed.translate)

    def at_baseline(self, point: Any) -> NDArray[np.float64]:
        """(3,) scanner position at the baseline, RAS+ mm, of a point of the viewer."""
        return np.asarray((np.linalg.inv(self._from_baseline) @ self._world @ np.array([*point[-3:], 1.0]))[:3])

    def from_baseline(self, place_mm: Any) -> NDArray[np.float64]:
        """(3,) point of the screen (z, y, x) of a scanner position at the baseline, RAS+ mm."""
        matrix = np.linalg.inv(self._world) @ self._from_baseline
        return np.asarray((matrix @ np.array([*place_mm, 1.0]))[:3])
