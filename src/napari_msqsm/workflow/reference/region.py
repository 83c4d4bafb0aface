"""The reference of one lesion, and its χ at a session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_msqsm.lesions.reference.mean import RobustMean, robust_mean
from napari_msqsm.lesions.roi_mean import LEAST_COVERED
from napari_msqsm.units import PPB_PER_PPM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.lesions.reference.ring import How, Side
    from napari_msqsm.model.grid import Grid
    from napari_msqsm.workflow.workbench.maps import SessionMap


@dataclass(frozen=True, eq=False)
class ReferenceRegion:
    """Normal-appearing white matter of one lesion, the same at every session.

    Parameters
    ----------
    label
        Of the lesion.
    index
        (n,) flat index of its voxels on ``grid``, ascending; empty where there is none.
    grid
        Grid of the baseline's gradient echo.
    how
        ``painted`` by a reader, ``ring``, ``grown`` (the ring had to reach farther), ``mirrored`` (in the other
        hemisphere, on explicit choice) or ``missing``.
    side
        Side of the brain that it lies on.
    outer_mm
        How far from the lesion it reaches; None where it was painted.
    notes
        What the reader has to know, one sentence each.
    """

    label: int
    index: NDArray[np.int64]
    grid: Grid
    how: How
    side: Side
    outer_mm: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def volume_mm3(self) -> float:
        """Its volume."""
        return self.index.size * self.grid.voxel_volume_mm3

    @property
    def missing(self) -> bool:
        """Whether there is none."""
        return self.index.size == 0


class Native(NamedTuple):
    """Voxels of a session that belong to a region: (3, n) voxels, and (n,) which of them the map has a value in."""

    at: NDArray[np.int64]
    covered: NDArray[np.bool_]


def native_voxels(region: ReferenceRegion, session_map: SessionMap) -> Native:
    """Find the voxels of a session whose centre, carried to the baseline, lies in a voxel of the region.

    Those that would lie beyond the session's grid are not among them.
    """
    grid, native = region.grid, session_map.grid
    to_session = np.linalg.inv(native.affine) @ session_map.transform.matrix @ grid.affine
    baseline = np.stack(np.unravel_index(region.index, grid.shape))
    if baseline.size == 0:
        return Native(np.empty((3, 0), np.int64), np.empty(0, np.bool_))
    low, high = baseline.min(axis=1) - 0.5, baseline.max(axis=1) + 0.5
    corners = np.array(np.meshgrid(*zip(low, high, strict=True), [1.0], indexing="ij")).reshape(4, -1)
    there = (to_session @ corners)[:3]
    start = np.clip(np.floor(there.min(axis=1)).astype(int), 0, native.shape)
    stop = np.clip(np.ceil(there.max(axis=1)).astype(int) + 1, 0, native.shape)
    if np.any(stop <= start):
        return Native(np.empty((3, 0), np.int64), np.empty(0, np.bool_))
    at = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(start, stop, strict=True)), indexing="ij"))
    at = at.reshape(3, -1)
    back = np.linalg.inv(to_session)
    voxel = np.rint(back[:3, :3] @ at + back[:3, 3:]).astype(np.int64)
    inside = np.all((voxel >= 0) & (voxel < np.array(grid.shape)[:, None]), axis=0)
    at, voxel = at[:, inside], voxel[:, inside]
    flat = np.ravel_multi_index(tuple(voxel), grid.shape)
    place = np.minimum(np.searchsorted(region.index, flat), region.index.size - 1)
    at = at[:, region.index[place] == flat]
    return Native(at, session_map.mask[tuple(at)])


def covered_voxels(index: NDArray[np.int64], grid: Grid, session_map: SessionMap) -> NDArray[np.bool_]:
    """(n,) which voxels of the baseline (flat index) have their centre in a voxel of a session that has a value."""
    to_session = np.linalg.inv(session_map.grid.affine) @ session_map.transform.matrix @ grid.affine
    at = np.rint(to_session[:3, :3] @ np.stack(np.unravel_index(index, grid.shape)) + to_session[:3, 3:])
    at = at.astype(np.int64)
    inside = np.all((at >= 0) & (at < np.array(session_map.grid.shape)[:, None]), axis=0)
    found = np.zeros(index.size, dtype=np.bool_)
    found[inside] = session_map.mask[tuple(at[:, inside])]
    return found


def reference_at(region: ReferenceRegion, session_map: SessionMap) -> RobustMean:
    """Measure χ of a region in the native map of a session.

    A voxel of the session counts when its centre, carried to the baseline, lies in a voxel of the region and the map
    has a value there. Where the map covers less than 90 % of the region, as for lesions, there is no number.
    """
    at, covered = native_voxels(region, session_map)
    stretch = abs(float(np.linalg.det(session_map.transform.matrix[:3, :3])))
    whole_mm3 = region.volume_mm3 * stretch
    share = float(np.count_nonzero(covered)) * session_map.grid.voxel_volume_mm3 / whole_mm3 if whole_mm3 else 0.0
    at = at[:, covered]
    values = session_map.chi_ppm[tuple(at)] * PPB_PER_PPM
    found = robust_mean(values, at, session_map.grid.voxel_size_mm)
    if share < LEAST_COVERED:
        return RobustMean(None, None, None, found.n_voxels, 0.0, min(share, 1.0))
    return replace(found, covered_fraction=min(share, 1.0))
