"""A region of interest that was drawn on the baseline grid, carried to the grid of another session."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import ShapeMismatchError
from napari_msqsm.model.resampling.region import Region

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.transform import AffineTransform

_PART_MM = 0.4
_MOST_CUT = 0.25
"""A voxel of which more than this was cut out does not count. With a central vein of 310 ppb that was cut out of
lesions at 0.75×0.75×3 mm, native means are then −0.2 ppb off on average; +1.4 ppb where voxels count by what is left of
them (vein in the rest), −0.5 ppb where every touched voxel is left out."""


@dataclass(frozen=True, eq=False)
class CarriedRoi:
    """How much each voxel of a session counts in the mean over a region.

    Parameters
    ----------
    filled
        Part of each voxel of ``block`` that the region fills, 0 … 1, less what was cut out of it.
    grid
        Of the session.
    whole_mm3
        Volume that the region, less what was cut out, has where nothing of it lies beyond the grid.
    block
        Where on the grid ``filled`` lies; all of it when not given. Beyond it there is nothing of the region.
    """

    filled: NDArray[np.float32]
    grid: Grid
    whole_mm3: float
    block: tuple[slice, ...] = (slice(None),) * 3

    @cached_property
    def weights(self) -> NDArray[np.float32]:
        """(X, Y, Z) parts on the whole grid."""
        out: NDArray[np.float32] = np.zeros(self.grid.shape, dtype=np.float32)
        out[self.block] = self.filled
        return out

    @property
    def volume_mm3(self) -> float:
        """Volume that lies on the grid."""
        return float(self.filled.sum(dtype=np.float64)) * self.grid.voxel_volume_mm3


@dataclass(frozen=True, eq=False)
class DrawnRoi:
    """A region as a solid, ready to be carried to any number of sessions; made by `DrawnRoi.of`.

    Parameters
    ----------
    region
        The lesion with what was cut out of it.
    cut, grid
        (X, Y, Z) what was cut out, None where nothing was, and its grid.
    """

    region: Region
    cut: NDArray[np.bool_] | None
    grid: Grid

    @classmethod
    def of(cls, roi: NDArray[np.bool_], grid: Grid, *, cut: NDArray[np.bool_] | None = None) -> DrawnRoi:
        """Make the solid; parameters and errors as in `carry_roi`. A crop of both images about the region will do."""
        if cut is not None and cut.shape != grid.shape:
            raise ShapeMismatchError(
                f"what was cut out has shape {cut.shape} but the grid of the region has {grid.shape}"
            )
        return cls(Region.drawn(roi, grid), cut if cut is not None and cut.any() else None, grid)

    def carried(self, onto: Grid, transform: AffineTransform) -> CarriedRoi:
        """Part of each voxel of a session that it fills; parameters as in `carry_roi`."""
        back = transform.inverse()
        block, filled = self.region.fractions(onto, back)
        whole_mm3 = self.region.volume_mm3 * abs(float(np.linalg.det(transform.matrix[:3, :3])))
        if self.cut is not None:
            share = _share(self.cut, self.grid, onto, back, block, filled > 0)
            left = np.where(share > _MOST_CUT, np.float32(0), filled)
            whole_mm3 -= float((filled - left).sum(dtype=np.float64)) * onto.voxel_volume_mm3
            filled = left
        return CarriedRoi(filled, onto, whole_mm3, block)


def carry_roi(
    roi: NDArray[np.bool_],
    grid: Grid,
    onto: Grid,
    transform: AffineTransform,
    *,
    cut: NDArray[np.bool_] | None = None,
) -> CarriedRoi:
    """Carry a region to the grid of a session, as the part of each voxel that it fills.

    The region becomes a smooth solid by its signed distance in mm (see `Region`), and each voxel of the session counts
    by the part of it that lies inside. The region goes the same way onto its own grid (``onto`` the same, the identity
    as ``transform``), so that every session, the baseline among them, is measured by one rule.

    Parameters
    ----------
    roi
        (X, Y, Z) the lesion with what was cut out of it.
    grid
        Its grid, the baseline's.
    onto
        Grid of the session.
    transform
        Scanner positions at the baseline (fixed) → those at the session (moving), mm.
    cut
        (X, Y, Z) what does not belong to the region, such as its central vein. It is not smoothed: a solid that is one
        or two voxels wide would not survive. A voxel of which more than a quarter was cut out does not count.

    Returns
    -------
    CarriedRoi
        Weights on ``onto``.

    Raises
    ------
    InputError
        When the region is empty.
    ShapeMismatchError
        When an array does not lie on ``grid``.
    """
    return DrawnRoi.of(roi, grid, cut=cut).carried(onto, transform)


def _share(
    cut: NDArray[np.bool_],
    grid: Grid,
    onto: Grid,
    transform: AffineTransform,
    block: tuple[slice, ...],
    looked_at: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Part of each voxel of a block of ``onto`` that lies in voxels of a mask on ``grid``; 0 where not looked at."""
    placement = np.linalg.inv(grid.affine) @ transform.matrix @ onto.affine
    parts = [max(2, int(np.ceil(step / _PART_MM))) for step in onto.voxel_size_mm]
    offsets = np.stack(np.meshgrid(*((np.arange(n) + 0.5) / n - 0.5 for n in parts), indexing="ij")).reshape(3, -1)
    voxels = np.argwhere(looked_at).T + np.array([[part.start] for part in block])
    centres = placement[:3, :3] @ voxels + placement[:3, 3:]
    found = np.zeros(voxels.shape[1], dtype=np.int64)
    for offset in (placement[:3, :3] @ offsets).T:
        x, y, z = np.rint(centres + offset[:, None]).astype(np.intp)
        inside = (x >= 0) & (x < cut.shape[0]) & (y >= 0) & (y < cut.shape[1]) & (z >= 0) & (z < cut.shape[2])
        found[inside] += cut[x[inside], y[inside], z[inside]]
    share: NDArray[np.float32] = np.zeros(looked_at.shape, dtype=np.float32)
    share[looked_at] = found / np.float32(offsets.shape[1])
    return share
