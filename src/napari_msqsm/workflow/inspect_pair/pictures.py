"""Two images and the transform between them: any part of any comparison, computed when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.model.grid import Grid
from napari_msqsm.workflow.inspect_pair.compare import (
    as_brightness,
    brightness_range,
    checkerboard,
    edges,
    grey_levels_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.transform import AffineTransform

Box = tuple[slice, slice, slice]
"""Part of the fixed grid, a range of voxels along each axis."""
_MOST_SAMPLES = 150_000
_MARGIN = 1


class PairPictures:
    """Comparisons of a fixed image and a moving one; a new transform costs nothing until a part is asked for.

    Parameters
    ----------
    fixed
        (X, Y, Z).
    grid
        Of the fixed image.
    moving
        (X', Y', Z').
    moving_grid
        Of the moving image.
    transform
        Fixed scanner position → moving scanner position; may be set anew at any time.

    Attributes
    ----------
    fixed_range, moving_range
        Values shown as black and white.

    Notes
    -----
    What is seen is interpolated by cubic B-splines (Unser M., IEEE Signal Process. Mag. 1999;16(6):22,
    doi 10.1109/79.799930), which keep the sharpness of the moving image; nothing is measured on it.
    """

    def __init__(
        self,
        fixed: NDArray[Any],
        grid: Grid,
        moving: NDArray[Any],
        moving_grid: Grid,
        transform: AffineTransform,
    ) -> None:
        self.fixed = np.asarray(fixed, dtype=np.float32)
        self.grid = grid
        self._coefficients = _spline_coefficients(moving)
        self.moving_grid = moving_grid
        self.transform = transform
        self.fixed_range = brightness_range(self.fixed)
        self.moving_range = brightness_range(moving)
        self.learn_grey_levels()

    def learn_grey_levels(self) -> None:
        """Learn, for the difference view, which grey levels correspond under the transform as it is now."""
        n = self.grid.shape
        step = max(1, round((n[0] * n[1] * n[2] / _MOST_SAMPLES) ** (1 / 3)))
        thin = tuple(slice(None, None, step) for _ in range(3))
        affine = self.grid.affine @ np.diag([step, step, step, 1.0])
        fixed = self.fixed[thin]
        self._grey_levels = grey_levels_of(fixed, self._moved(Grid(fixed.shape, affine)))

    @property
    def centre_mm(self) -> NDArray[np.float64]:
        """(3,) middle of the fixed grid in mm RAS+."""
        middle = (np.array(self.grid.shape) - 1) / 2.0
        return np.asarray((self.grid.affine @ np.array([*middle, 1.0]))[:3])

    def moved(self, box: Box) -> NDArray[np.float32]:
        """See the moving image on a part of the fixed grid; not a number outside its field of view."""
        return self._moved(self._part(box))

    def brightness(self, box: Box) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Both images from 0 (black) to 1 (white); black outside."""
        return as_brightness(self.fixed[box], self.fixed_range), as_brightness(self.moved(box), self.moving_range)

    def checkerboard(self, box: Box, square_mm: float) -> NDArray[np.float32]:
        """Squares of the fixed and the moving image in turn, each from 0 to 1."""
        first, second = self.brightness(box)
        positions = tuple(
            np.arange(*part.indices(n)) * size
            for part, n, size in zip(box, self.grid.shape, self.grid.voxel_size_mm, strict=True)
        )
        out: NDArray[np.float32] = checkerboard(first, second, positions, square_mm)
        return out

    def edges(self, box: Box, *, blur_mm: float = 1.0) -> NDArray[np.float32]:
        """Outlines of the fixed image; 1 is black to white within 1 mm."""
        shown = as_brightness(self.fixed[box], self.fixed_range)
        return edges(shown, self.grid.voxel_size_mm, blur_mm=blur_mm)

    def difference(self, box: Box) -> NDArray[np.float32]:
        """Subtract the moving image in the fixed one's grey levels; 1 is black to white, 0 outside the moving image."""
        return np.nan_to_num(self._grey_levels.difference(self.fixed[box], self.moved(box)))

    def _part(self, box: Box) -> Grid:
        ranges = [range(*part.indices(n)) for part, n in zip(box, self.grid.shape, strict=True)]
        steps = np.diag([*(each.step for each in ranges), 1.0])
        steps[:3, 3] = [each.start for each in ranges]
        return Grid((len(ranges[0]), len(ranges[1]), len(ranges[2])), self.grid.affine @ steps)

    def _moved(self, onto: Grid) -> NDArray[np.float32]:
        from scipy import ndimage

        to_voxel = np.linalg.inv(self.moving_grid.affine) @ self.transform.matrix @ onto.affine
        out = np.empty(onto.shape, dtype=np.float32)
        ndimage.affine_transform(
            self._coefficients,
            to_voxel[:3, :3],
            to_voxel[:3, 3] + _MARGIN,
            output=out,
            output_shape=onto.shape,
            order=3,
            cval=np.nan,
            prefilter=False,
        )
        return out


def _spline_coefficients(array: NDArray[Any]) -> NDArray[np.float32]:
    """Coefficients of the cubic B-spline through an image; made once, a plane of it is then drawn in milliseconds.

    One more voxel all around keeps rounding from pushing the outermost ones out of the image.
    """
    from scipy import ndimage

    padded = np.pad(np.asarray(array, dtype=np.float32), _MARGIN, mode="edge")
    return np.asarray(ndimage.spline_filter(padded, order=3, output=np.float32), dtype=np.float32)
