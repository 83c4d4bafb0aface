"""The grid an image lies on: its shape and where its voxels are in the scanner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

from napari_msqsm.errors import MetadataError, ShapeMismatchError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_SHEAR_TOLERANCE = 1e-2


@dataclass(frozen=True, eq=False)
class Grid:
    """Shape and RAS+ affine of a 3-D image, in the file's own axis order.

    Parameters
    ----------
    shape
        Number of voxels along the three voxel axes.
    affine
        (4, 4) voxel index → scanner position in mm, RAS+.

    Raises
    ------
    MetadataError
        When the affine has no inverse, is not finite or is sheared (its voxel axes are not perpendicular).
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    def __init__(self, shape: tuple[int, ...], affine: ArrayLike) -> None:
        matrix = np.array(affine, dtype=np.float64)
        if len(shape) != 3:
            raise ShapeMismatchError(f"a grid has 3 axes, got shape {tuple(shape)}")
        if matrix.shape != (4, 4) or not np.all(np.isfinite(matrix)):
            raise MetadataError(f"the affine must be a finite 4×4 matrix, got shape {matrix.shape}; repair the header")
        if not np.allclose(matrix[3], (0, 0, 0, 1)):
            raise MetadataError(f"the last row of the affine must be 0 0 0 1, got {matrix[3]}; repair the header")
        columns = matrix[:3, :3]
        lengths = np.linalg.norm(columns, axis=0)
        if np.any(lengths == 0) or abs(np.linalg.det(columns / np.where(lengths == 0, 1, lengths))) < 1e-6:
            raise MetadataError(
                "the affine has no inverse (two voxel axes coincide or have zero length); repair the header"
            )
        cosines = (columns / lengths).T @ (columns / lengths)
        if np.max(np.abs(cosines - np.eye(3))) > _SHEAR_TOLERANCE:
            raise MetadataError(
                "the affine is sheared (voxel axes are not perpendicular); resample the image to a rectangular grid"
            )
        matrix.setflags(write=False)
        object.__setattr__(self, "shape", (int(shape[0]), int(shape[1]), int(shape[2])))
        object.__setattr__(self, "affine", matrix)

    @property
    def voxel_size_mm(self) -> tuple[float, float, float]:
        """Edge lengths of a voxel along the voxel axes."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(x), float(y), float(z)

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel."""
        x, y, z = self.voxel_size_mm
        return x * y * z

    @property
    def b0_direction(self) -> tuple[float, float, float]:
        """Unit vector of B0 (the scanner's head-foot axis) in voxel axes."""
        axes = self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)
        x, y, z = np.linalg.solve(axes, np.array([0.0, 0.0, 1.0]))
        norm = float(np.sqrt(x * x + y * y + z * z))
        return float(x) / norm, float(y) / norm, float(z) / norm

    @property
    def axis_codes(self) -> str:
        """Anatomical direction of each voxel axis, such as ``RAS`` or ``LPI``."""
        return "".join(nib.orientations.aff2axcodes(self.affine))

    def same_as(self, other: Grid, *, tolerance_mm: float = 1e-2) -> bool:
        """Whether both grids have one shape and every corner within ``tolerance_mm``."""
        if self.shape != other.shape:
            return False
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.shape], [1], indexing="ij")).reshape(4, -1)
        return bool(np.max(np.abs((self.affine - other.affine) @ corners)) < tolerance_mm)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grid) and self.shape == other.shape and bool(np.array_equal(self.affine, other.affine))

    def __hash__(self) -> int:
        return hash((self.shape, self.affine.tobytes()))


def reoriented(array: NDArray[Any], grid: Grid, axis_codes: str) -> tuple[NDArray[Any], Grid]:
    """Permute and flip voxel axes so that they point along ``axis_codes``; nothing is interpolated.

    Parameters
    ----------
    array
        (..., X, Y, Z); leading axes are left alone.
    grid
        Its grid.
    axis_codes
        Wanted directions, such as ``RAS``.

    Returns
    -------
    tuple
        A view of the array, and its grid.
    """
    current = nib.orientations.io_orientation(grid.affine)
    wanted = nib.orientations.axcodes2ornt(tuple(axis_codes))
    change = nib.orientations.ornt_transform(current, wanted)
    lead = array.ndim - 3
    moved = array
    for axis, (_, flip) in enumerate(change):
        if flip == -1:
            moved = np.flip(moved, axis=lead + axis)
    order = np.argsort(change[:, 0].astype(int))
    moved = np.transpose(moved, (*range(lead), *(lead + int(axis) for axis in order)))
    affine = grid.affine @ nib.orientations.inv_ornt_aff(change, grid.shape)
    return moved, Grid(moved.shape[lead:], affine)
