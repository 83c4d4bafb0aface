"""A region drawn on one grid as a smooth solid in space, and how much of each voxel of another grid it fills.

A region that was drawn voxel by voxel has the steps of its grid, up to 3 mm high. Whatever is read from such steps on
another grid (by interpolation of the labels, or of their signed distance as it is) is smaller or more blurred there
than where it was drawn. So the signed distance in mm is smoothed over 0.7 voxel along each axis, which takes the steps
away, and the surface is then laid where the solid has just the volume that was drawn. Openings of one or two voxels
(a vein that was cut out) do not survive this: carry the whole region, and what was cut out of it apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

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
_BISECTIONS = 30
_FIRST_SLACK = 0.25
"""Where the level is looked for first, in lengths of the longest edge of a voxel."""
_LAST_SLACK = 4.0


@dataclass(frozen=True, eq=False)
class Region:
    """A solid in space, made by `Region.drawn`.

    Parameters
    ----------
    depth_coefficients
        (X, Y, Z) smoothed distance to the edge of what was drawn in mm, positive inside, on ``grid``, as coefficients
        of a cubic B-spline.
    grid
        A box about the region.
    level_mm
        Depth of its surface.
    volume_mm3
        Volume that was drawn.
    """

    depth_coefficients: NDArray[np.float64]
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
        coefficients = ndimage.spline_filter(depth, order=3, mode="mirror")
        level = _level(coefficients, box, n_voxels)
        return cls(coefficients, box, level, n_voxels * grid.voxel_volume_mm3)

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
        shift = np.eye(4)
        shift[:3, 3] = [part.start for part in block]
        shape = tuple(part.stop - part.start for part in block)
        edge = _Edge.of(self.depth_coefficients, to_box @ shift, shape, onto, self.level_mm, self.level_mm)
        out = edge.inside.astype(np.float32)
        out[edge.near] = edge.filled(self.level_mm)
        return block, out


class _Edge(NamedTuple):
    """Voxels through which the surface of a region may go, sampled at their parts.

    Parameters
    ----------
    inside, near
        (X, Y, Z) voxels that lie wholly inside, and those that have to be looked at.
    samples
        (part, voxel) depth at the parts of the latter, mm.
    ramp_mm
        Over this depth a part goes from empty to full: the edge of a cube of its volume.
    """

    inside: NDArray[np.bool_]
    near: NDArray[np.bool_]
    samples: NDArray[np.float32]
    ramp_mm: float

    @classmethod
    def of(
        cls,
        coefficients: NDArray[np.float64],
        to_box: NDArray[np.float64],
        shape: tuple[int, ...],
        grid: Grid,
        low_mm: float,
        high_mm: float,
    ) -> _Edge:
        """Sample the voxels of a block for levels between two depths."""
        size = np.array(grid.voxel_size_mm)
        parts = np.maximum(2, np.ceil(size / _PART_MM - 1e-6)).astype(int)
        ramp_mm = float(np.cbrt(np.prod(size / parts)))
        reach_mm = 0.5 * float(np.linalg.norm(size)) + ramp_mm
        index = np.ogrid[tuple(slice(0, n) for n in shape)]
        centres = [sum(a * i for a, i in zip(row, index, strict=False)) + row[3] for row in to_box[:3]]
        depth = ndimage.map_coordinates(coefficients, centres, order=3, mode="nearest", prefilter=False)
        near = (depth > low_mm - reach_mm) & (depth < high_mm + reach_mm)
        at = to_box[:3, :3] @ np.argwhere(near).T + to_box[:3, 3:]
        x, y, z = ((np.arange(n) + 0.5) / n - 0.5 for n in parts)
        samples = np.empty((int(np.prod(parts)), at.shape[1]), dtype=np.float32)
        for number, offset in enumerate((a, b, c) for a in x for b in y for c in z):
            moved = at + (to_box[:3, :3] @ np.array(offset))[:, None]
            samples[number] = ndimage.map_coordinates(coefficients, moved, order=3, mode="nearest", prefilter=False)
        return cls(depth >= high_mm + reach_mm, near, samples, ramp_mm)

    def filled(self, level_mm: float) -> NDArray[np.float32]:
        """Part of each voxel looked at that lies above a depth."""
        share = (self.samples - np.float32(level_mm)) / np.float32(self.ramp_mm) + np.float32(0.5)
        return np.asarray(np.clip(share, 0, 1, out=share).mean(axis=0, dtype=np.float32))

    def volume(self, level_mm: float) -> float:
        """Volume above a depth, in voxels."""
        return float(np.count_nonzero(self.inside)) + float(self.filled(level_mm).sum(dtype=np.float64))


def _level(coefficients: NDArray[np.float64], box: Grid, n_voxels: int) -> float:
    """Depth of the surface that encloses as much as was drawn."""
    longest = max(box.voxel_size_mm)
    slack = _FIRST_SLACK * longest
    while True:
        low, high = -slack, slack
        edge = _Edge.of(coefficients, np.eye(4), box.shape, box, low, high)
        if edge.volume(low) >= n_voxels >= edge.volume(high) or slack >= _LAST_SLACK * longest:
            break
        slack *= 2
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if edge.volume(middle) > n_voxels else (low, middle)
    return 0.5 * (low + high)


def _block(from_box: NDArray[Any], box_shape: tuple[int, int, int], shape: tuple[int, int, int]) -> tuple[slice, ...]:
    """Voxels of a grid that a box reaches."""
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in box_shape], [1], indexing="ij")).reshape(4, -1)
    reached = (from_box @ corners)[:3]
    starts = np.clip(np.floor(reached.min(axis=1)).astype(int), 0, shape)
    stops = np.clip(np.ceil(reached.max(axis=1)).astype(int) + 1, 0, shape)
    return tuple(slice(int(start), int(max(start, stop))) for start, stop in zip(starts, stops, strict=True))
