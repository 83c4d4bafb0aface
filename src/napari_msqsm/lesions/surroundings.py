"""Two sessions read at the same places about a lesion, smoothed, between their voxels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage

from napari_msqsm.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.transform import AffineTransform

MOST_SHIFT_MM = 3.0
_BOX_MM = 12.0
_WIDTH_MM = 8.0
_LEAVE_OUT_MM = 1.5
_STEP_MM = 1.5
_BLOCK_MM = 6.0
_LEAST_VOXELS = 500


@dataclass(frozen=True, eq=False)
class Scan:
    """An image of one session.

    Parameters
    ----------
    image, mask, grid
        (X, Y, Z) native image, where it has a value, and its grid.
    transform
        Scanner positions at the baseline → those of the session, mm.
    """

    image: NDArray[np.float32]
    mask: NDArray[np.bool_]
    grid: Grid
    transform: AffineTransform


class Surroundings(NamedTuple):
    """A lattice about a lesion along the axes of its grid: places of the baseline, their weights and blocks."""

    points_mm: NDArray[np.float64]
    weights: NDArray[np.float64]
    blocks: NDArray[np.int64]
    to_mm: NDArray[np.float64]

    @classmethod
    def about(cls, lesion: NDArray[np.bool_], grid: Grid, others: NDArray[np.bool_] | None = None) -> Surroundings:
        """Make the lattice; steps are those of the grid, at most 1.5 mm.

        Weights fall off with the distance to the lesion; it and the other lesions, and 1.5 mm about them, have none.
        """
        at = np.argwhere(lesion)
        if not at.size:
            raise InputError("the lesion has no region; draw it before looking for its shift")
        size = np.array(grid.voxel_size_mm)
        parts = np.ceil(size / _STEP_MM - 1e-6)
        margin = np.ceil(_BOX_MM / size)
        start, stop = at.min(axis=0) - margin, at.max(axis=0) + margin
        axes = [np.arange(low, high + 0.5 / n, 1 / n) for low, high, n in zip(start, stop, parts, strict=True)]
        index = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        inside = np.zeros(index.shape[:-1], dtype=np.bool_)
        nearest = np.rint(index).astype(np.intp)
        on = np.all((nearest >= 0) & (nearest < lesion.shape), axis=-1)
        inside[on] = lesion[tuple(nearest[on].T)]
        away = ndimage.distance_transform_edt(~inside, sampling=size / parts)
        weights = np.exp(-0.5 * (away / _WIDTH_MM) ** 2)
        weights[away > _BOX_MM] = 0.0
        if others is not None:
            inside[on] |= others[tuple(nearest[on].T)]
            away = ndimage.distance_transform_edt(~inside, sampling=size / parts)
        weights[away <= _LEAVE_OUT_MM] = 0.0
        block = np.floor((index - start) * size / _BLOCK_MM).astype(np.int64)
        numbers = np.ravel_multi_index(tuple(np.moveaxis(block, -1, 0)), tuple(block.reshape(-1, 3).max(axis=0) + 1))
        to_mm = np.asarray(np.linalg.inv(grid.affine[:3, :3] / parts), dtype=np.float64)
        return cls(index @ grid.affine[:3, :3].T + grid.affine[:3, 3], weights, numbers, to_mm)

    def gradient(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., 3) derivative of an image on the lattice along the axes of the baseline's space, per mm."""
        along = [np.asarray(np.gradient(image, axis=axis)) for axis in range(3)]
        return np.asarray(np.stack(along, axis=-1) @ self.to_mm)


class ScanPair(NamedTuple):
    """One kind of image of both sessions about a lesion."""

    fixed: NDArray[np.float64]
    moving: SampledScan
    inside: NDArray[np.bool_]
    places: Surroundings

    @classmethod
    def of(cls, onset: Scan, later: Scan, places: Surroundings, sigma_mm: float) -> ScanPair:
        """Smooth both over a standard deviation, and read the first."""
        first, second = (SampledScan.of(scan, places.points_mm, sigma_mm) for scan in (onset, later))
        fixed, in_fixed = first.at(places.points_mm)
        _, in_moving = second.at(places.points_mm)
        inside = in_fixed & in_moving & (places.weights > 0)
        if np.count_nonzero(inside) < _LEAST_VOXELS:
            raise InputError(
                f"only {np.count_nonzero(inside)} places about the lesion lie in the masks of both sessions; its shift "
                "cannot be found"
            )
        return cls(fixed, second, inside, places)


class SampledScan(NamedTuple):
    """A smoothed crop of an image, ready to be read between its voxels."""

    coefficients: NDArray[np.float64]
    holds: NDArray[np.float64]
    to_voxel: NDArray[np.float64]

    @classmethod
    def of(cls, scan: Scan, points_mm: NDArray[np.float64], sigma_mm: float) -> SampledScan:
        """Cut out what the points may reach, and smooth it inside its mask."""
        to_voxel = np.linalg.inv(scan.grid.affine) @ scan.transform.matrix
        at = points_mm.reshape(-1, 3) @ to_voxel[:3, :3].T + to_voxel[:3, 3]
        margin = np.ceil((MOST_SHIFT_MM + 3 * sigma_mm) / np.array(scan.grid.voxel_size_mm)) + 2
        low = np.clip(np.floor(at.min(axis=0) - margin), 0, scan.grid.shape).astype(int)
        high = np.clip(np.ceil(at.max(axis=0) + margin) + 1, low, scan.grid.shape).astype(int)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        mask = scan.mask[box] & np.isfinite(scan.image[box])
        if mask.size == 0 or min(mask.shape) < 2 or not mask.any():
            raise InputError("the surroundings of the lesion lie outside the mask of a session; no shift can be found")
        values = scan.image[box].astype(np.float64)
        sigma = [sigma_mm / step for step in scan.grid.voxel_size_mm]
        share = ndimage.gaussian_filter(mask.astype(np.float64), sigma)
        smooth = ndimage.gaussian_filter(np.where(mask, values, 0.0), sigma) / np.maximum(share, 1e-6)
        shifted = to_voxel.copy()
        shifted[:3, 3] -= low
        return cls(ndimage.spline_filter(smooth, order=3), mask.astype(np.float64), shifted)

    def at(self, points_mm: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Values at (..., 3) points of the baseline, and which of them lie in the mask."""
        where = np.moveaxis(points_mm @ self.to_voxel[:3, :3].T + self.to_voxel[:3, 3], -1, 0)
        values = ndimage.map_coordinates(self.coefficients, where, order=3, mode="nearest", prefilter=False)
        holds = ndimage.map_coordinates(self.holds, where, order=1, mode="constant", cval=0.0)
        return values, holds > 1 - 1e-6
