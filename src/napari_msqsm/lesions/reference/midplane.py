"""The plane between the hemispheres, from the shape of the brain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage, optimize

from napari_msqsm.errors import InputError, ShapeMismatchError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid

_STEP_MM = 4.0
_SMOOTH_MM = 4.0
_STARTS_DEG = (-20.0, -10.0, 0.0, 10.0, 20.0)
_LEAST_VOXELS = 100


@dataclass(frozen=True, eq=False)
class Midplane:
    """A plane; its normal points to the right of the head.

    Parameters
    ----------
    normal
        (3,) unit vector, RAS+.
    offset_mm
        ``normal · x`` of the points of the plane.
    likeness
        Correlation of the brain with its mirror image, 1 for a brain that is its own.
    """

    normal: NDArray[np.float64]
    offset_mm: float
    likeness: float = 1.0

    def signed_mm(self, index: NDArray[np.int64], grid: Grid) -> NDArray[np.float64]:
        """(n,) distance of voxels (flat index) from the plane in mm, positive on the right."""
        at = np.stack(np.unravel_index(index, grid.shape))
        row = self.normal @ grid.affine[:3, :3]
        return np.asarray(row @ at + float(self.normal @ grid.affine[:3, 3]) - self.offset_mm)

    def mirrored(self, index: NDArray[np.int64], grid: Grid) -> NDArray[np.int64]:
        """(m,) flat index of the voxels in which the mirror images of voxels' centres lie, ascending."""
        at = np.stack(np.unravel_index(index, grid.shape)).astype(np.float64)
        mm = grid.affine[:3, :3] @ at + grid.affine[:3, 3:]
        mm -= 2.0 * np.outer(self.normal, self.normal @ mm - self.offset_mm)
        there = np.rint(np.linalg.solve(grid.affine[:3, :3], mm - grid.affine[:3, 3:])).astype(np.int64)
        inside = np.all((there >= 0) & (there < np.array(grid.shape)[:, None]), axis=0)
        return np.unique(np.ravel_multi_index(tuple(there[:, inside]), grid.shape)).astype(np.int64)


def midplane_of(brain: NDArray[np.bool_], grid: Grid, *, white: NDArray[Any] | None = None) -> Midplane:
    r"""Find the plane about which the brain is most nearly its own mirror image.

    .. math:: \max_{n, d} \mathrm{corr}\bigl(u(x),\; u(x - 2 (n \cdot x - d)\, n)\bigr)

    with u the depth below the surface of the brain, which changes smoothly everywhere, and the share of white matter,
    which ventricles and the fissure between the hemispheres are not.

    Parameters
    ----------
    brain
        (X, Y, Z) brain, on ``grid``.
    grid
        Its axes may be turned against the head, and the head in the scanner by up to some 30°.
    white
        (X, Y, Z) white matter, 0 … 1.

    Raises
    ------
    InputError
        When there is too little brain to tell.

    Notes
    -----
    Looked for from five turns about the axis from back to front and five about that from foot to head, by Nelder–Mead,
    on points 4 mm apart. Idea: Ardekani BA et al., IEEE Trans Med Imaging 1997;16:947 (doi 10.1109/42.650882), who
    correlate intensities; differs: shape and tissue, which coil shading and lesions of one side do not change.
    """
    for name, image in (("the brain", brain), ("the white matter", white)):
        if image is not None and image.shape != grid.shape:
            raise ShapeMismatchError(f"{name} has shape {image.shape} but its grid has {grid.shape}")
    every = tuple(max(1, round(_STEP_MM / step)) for step in grid.voxel_size_mm)
    thin = tuple(slice(None, None, n) for n in every)
    small = np.pad(brain[thin], 1)
    if np.count_nonzero(small) < _LEAST_VOXELS:
        raise InputError(f"the brain mask has {np.count_nonzero(brain)} voxels; too few to tell its sides")
    step = [size * n for size, n in zip(grid.voxel_size_mm, every, strict=True)]
    features = [ndimage.distance_transform_edt(small, sampling=step)]
    if white is not None:
        smooth = [_SMOOTH_MM / size for size in grid.voxel_size_mm]
        features.append(np.pad(ndimage.gaussian_filter(white.astype(np.float32), smooth)[thin], 1))
    to_mm = grid.affine @ np.diag([*every, 1.0])
    to_mm = to_mm @ np.array([[1, 0, 0, -1], [0, 1, 0, -1], [0, 0, 1, -1], [0, 0, 0, 1.0]])
    points = to_mm[:3, :3] @ np.argwhere(small).T + to_mm[:3, 3:]
    centre = points.mean(axis=1)
    values = [image[small] for image in features]
    back = np.linalg.inv(to_mm)

    def unlike(parameters: NDArray[np.float64]) -> float:
        normal, offset = _plane(parameters, centre)
        mirrored = points - 2.0 * np.outer(normal, normal @ points - offset)
        at = back[:3, :3] @ mirrored + back[:3, 3:]
        likeness = [
            np.corrcoef(own, ndimage.map_coordinates(image, at, order=1, mode="constant"))[0, 1]
            for own, image in zip(values, features, strict=True)
        ]
        return -float(np.mean(likeness))

    starts = [np.array([about_y, about_z, 0.0]) for about_y in _STARTS_DEG for about_z in _STARTS_DEG]
    best = sorted(starts, key=unlike)[:2]
    simplex = np.array([[0, 0, 0], [4.0, 0, 0], [0, 4.0, 0], [0, 0, 4.0]])
    found = [
        optimize.minimize(
            unlike,
            start,
            method="Nelder-Mead",
            options={"initial_simplex": start + simplex, "xatol": 0.02, "fatol": 1e-5, "maxiter": 200},
        )
        for start in best
    ]
    result = min(found, key=lambda one: float(one.fun))
    normal, offset = _plane(result.x, centre)
    return Midplane(normal, offset, -float(result.fun))


def _plane(parameters: NDArray[np.float64], centre: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Make normal and offset from two turns (degrees, about y and z) and a shift along the normal (mm)."""
    about_y, about_z = np.radians(parameters[:2])
    normal = np.array([np.cos(about_y) * np.cos(about_z), np.cos(about_y) * np.sin(about_z), np.sin(about_y)])
    return normal, float(normal @ centre + parameters[2])
