"""A region drawn on one grid as a smooth solid in space, and how much of each voxel of another grid it fills.

A region that was drawn voxel by voxel has the steps of its grid, up to 3 mm high. Whatever is read from such steps on
another grid (by interpolation of the labels, or of their signed distance as it is) is smaller or more blurred there
than where it was drawn. So the signed distance in mm is smoothed over 0.7 voxel along each axis, which takes the steps
away, and the surface is then laid where the solid has just the volume that was drawn. Openings of one or two voxels
(a vein that was cut out) do not survive this: carry the whole region, and what was cut out of it apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_msqsm.errors import InputError, ShapeMismatchError
from napari_msqsm.model.grid import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.transform import AffineTransform

_SMOOTHING_VOXELS = 0.7
_PART_MM = 0.4
_MARGIN_VOXELS = 5
_LEVELS = 40
_POINTS = 1 << 20


@dataclass(frozen=True, eq=False)
class Region:
    """A solid in space, made by `Region.drawn`.

    Parameters
    ----------
    depth_mm
        (X, Y, Z) smoothed distance to the edge of what was drawn, positive inside, on ``grid``.
    grid
        A box about the region.
    level_mm
        Depth of its surface.
    volume_mm3
        Volume that was drawn.
    """

    depth_mm: NDArray[np.float64]
    grid: Grid
    level_mm: float
    volume_mm3: float

    @classmethod
    def drawn(cls, mask: NDArray[np.bool_], grid: Grid) -> Region:
        """Make the solid of a mask.

        Parameters
        ----------
        mask
            (X, Y, Z).
        grid
            Its grid; beyond it, nothing belongs to the region.

        Raises
        ------
        InputError
            When the mask is empty.
        ShapeMismatchError
            When it does not lie on the grid.
        """
        if mask.shape != grid.shape:
            raise ShapeMismatchError(f"the region has shape {mask.shape} but its grid has {grid.shape}")
        found = ndimage.find_objects(mask.astype(np.uint8))
        if not found:
            raise InputError("the region is empty; draw at least one voxel")
        inner = np.pad(mask[found[0]], _MARGIN_VOXELS)
        corner = np.eye(4)
        corner[:3, 3] = [part.start - _MARGIN_VOXELS for part in found[0]]
        box = Grid(inner.shape, grid.affine @ corner)
        size = grid.voxel_size_mm
        distance = ndimage.distance_transform_edt(inner, sampling=size)
        distance -= ndimage.distance_transform_edt(~inner, sampling=size)
        depth = ndimage.gaussian_filter(distance, _SMOOTHING_VOXELS, mode="nearest")
        n_voxels = int(np.count_nonzero(mask))
        level = _level(ndimage.spline_filter(depth, order=3, mode="mirror"), box, n_voxels)
        return cls(depth, box, level, n_voxels * grid.voxel_volume_mm3)

    def fractions(self, onto: Grid, transform: AffineTransform) -> tuple[tuple[slice, ...], NDArray[np.float32]]:
        """Part of each voxel that the region fills.

        Parameters
        ----------
        onto
            Any grid.
        transform
            Scanner positions on ``onto`` → those of the region, mm.

        Returns
        -------
        block, fractions
            Where on ``onto`` there may be any, and the fractions, 0 … 1, there.
        """
        to_box = np.linalg.inv(self.grid.affine) @ transform.matrix @ onto.affine
        block = _block(np.asarray(np.linalg.inv(to_box)), self.grid.shape, onto.shape)
        shape = tuple(part.stop - part.start for part in block)
        shift = np.eye(4)
        shift[:3, 3] = [part.start for part in block]
        coefficients = ndimage.spline_filter(self.depth_mm, order=3, mode="mirror")
        parts = _parts(onto)
        samples = _depths(coefficients, to_box @ shift, shape, parts)
        return block, _filled(samples, self.level_mm, _ramp_mm(onto, parts))


def _level(coefficients: NDArray[np.float64], box: Grid, n_voxels: int) -> float:
    """Depth of the surface that encloses as much as was drawn."""
    parts = _parts(box)
    samples, ramp = _depths(coefficients, np.eye(4), box.shape, parts), _ramp_mm(box, parts)
    low, high = -max(box.voxel_size_mm), max(box.voxel_size_mm)
    for _ in range(_LEVELS):
        middle = 0.5 * (low + high)
        if float(_filled(samples, middle, ramp).sum(dtype=np.float64)) > n_voxels:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _parts(grid: Grid) -> tuple[int, int, int]:
    x, y, z = (max(2, int(np.ceil(step / _PART_MM - 1e-6))) for step in grid.voxel_size_mm)
    return x, y, z


def _ramp_mm(grid: Grid, parts: tuple[int, int, int]) -> float:
    """Edge of a cube as large as a part of a voxel: over this depth a part goes from empty to full."""
    return float(np.cbrt(grid.voxel_volume_mm3 / np.prod(parts)))


def _depths(
    coefficients: NDArray[np.float64],
    to_box: NDArray[np.float64],
    shape: tuple[int, ...],
    parts: tuple[int, int, int],
) -> NDArray[np.float32]:
    """(part, X, Y, Z) depth at the parts of the voxels of a block."""
    out = np.empty((int(np.prod(parts)), *shape), dtype=np.float32)
    x, y, z = ((np.arange(n) + 0.5) / n - 0.5 for n in parts)
    index = np.ogrid[tuple(slice(0, n) for n in shape)]
    for number, offset in enumerate((a, b, c) for a in x for b in y for c in z):
        at = [
            sum(step * (along + part) for step, along, part in zip(row, index, offset, strict=False)) + row[3]
            for row in to_box[:3]
        ]
        out[number] = ndimage.map_coordinates(coefficients, at, order=3, mode="nearest", prefilter=False)
    return out


def _filled(samples: NDArray[np.float32], level_mm: float, ramp_mm: float) -> NDArray[np.float32]:
    """Mean over the parts of the share of each that lies above a depth."""
    share = np.clip((samples - np.float32(level_mm)) / np.float32(ramp_mm) + np.float32(0.5), 0, 1)
    return np.asarray(share.mean(axis=0, dtype=np.float32))


def _block(from_box: NDArray[Any], box_shape: tuple[int, int, int], shape: tuple[int, int, int]) -> tuple[slice, ...]:
    """Voxels of a grid that a box reaches."""
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in box_shape], [1], indexing="ij")).reshape(4, -1)
    reached = (from_box @ corners)[:3]
    starts = np.clip(np.floor(reached.min(axis=1)).astype(int), 0, shape)
    stops = np.clip(np.ceil(reached.max(axis=1)).astype(int) + 1, 0, shape)
    return tuple(slice(int(start), int(max(start, stop))) for start, stop in zip(starts, stops, strict=True))
