"""Between the file's voxel order and the screen's: radiological slices, patient right on screen left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.model.grid import reoriented

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid

SCREEN_CODES = "LPS"
"""Directions in which the reordered voxel axes x, y, z run: screen columns to the patient's left, rows to the back."""


@dataclass(frozen=True, eq=False)
class Placed:
    """An image in display order (…, z, y, x).

    Parameters
    ----------
    data
        A view of the image where that is possible.
    scale
        Voxel edges in mm, in display order.
    translate
        Position of the first voxel in mm along (z, y, x): up, to the back, to the left.
    """

    data: NDArray[Any]
    scale: tuple[float, float, float]
    translate: tuple[float, float, float]


def to_display(array: NDArray[Any], grid: Grid) -> Placed:
    """Reorder (…, X, Y, Z) for the screen; nothing is interpolated.

    Oblique slices are shown as they were acquired, the centre of the image where it is in the scanner.
    """
    turned, on_screen = reoriented(array, grid, SCREEN_CODES)
    lead = turned.ndim - 3
    data = np.transpose(turned, (*range(lead), lead + 2, lead + 1, lead))
    x, y, z = on_screen.voxel_size_mm
    return Placed(data, (z, y, x), _first_voxel(on_screen))


def world_from_screen(grid: Grid) -> NDArray[np.float64]:
    """Tell where in the scanner a point of the screen lies, for an image that `to_display` placed.

    Returns
    -------
    NDArray
        (4, 4) position (z, y, x, 1) on the screen in mm → position in the scanner in mm RAS+.
    """
    _, on_screen = reoriented(np.empty(grid.shape, dtype=np.bool_), grid, SCREEN_CODES)
    index_from_screen = np.zeros((4, 4))
    index_from_screen[3, 3] = 1.0
    for axis, (size, first) in enumerate(zip(on_screen.voxel_size_mm[::-1], _first_voxel(on_screen), strict=True)):
        index_from_screen[2 - axis, axis] = 1.0 / size
        index_from_screen[2 - axis, 3] = -first / size
    return np.asarray(on_screen.affine @ index_from_screen)


def _first_voxel(on_screen: Grid) -> tuple[float, float, float]:
    """Place of the first voxel of a grid in screen order: (z, y, x) in mm."""
    x, y, z = on_screen.voxel_size_mm
    half = (np.array(on_screen.shape) - 1) / 2.0
    right, front, up = (float(value) for value in (on_screen.affine @ (*half, 1.0))[:3])
    return float(up - half[2] * z), float(-front - half[1] * y), float(-right - half[0] * x)


def from_display(data: NDArray[Any], grid: Grid) -> NDArray[Any]:
    """Inverse of `to_display`: back to the order of the file that lies on ``grid``."""
    lead = data.ndim - 3
    turned = np.transpose(data, (*range(lead), lead + 2, lead + 1, lead))
    _, on_screen = reoriented(np.empty(grid.shape, dtype=np.bool_), grid, SCREEN_CODES)
    original, _ = reoriented(turned, on_screen, grid.axis_codes)
    return np.ascontiguousarray(original)
