"""Voxels that the central veins of lesions touch: what a reader cuts out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.model.grid import Grid
from napari_msqsm.phantom.shapes import path_box, tube
from napari_msqsm.phantom.subvoxels import averaged, fine_sampling, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from napari_msqsm.phantom.lesions import Lesion

VEIN_MARGIN_MM = 0.3
TOUCHED = 0.05
_PART_MM = 0.3


def central_vein_mask(lesions: Iterable[Lesion], *, grid: Grid, pose: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Voxels of which a twentieth at least lies in a central vein or within 0.3 mm of it.

    Parameters
    ----------
    lesions
        Of the patient.
    grid, pose
        As in `napari_msqsm.phantom.scan.gradient_echo`.
    """
    mask: NDArray[np.bool_] = np.zeros(grid.shape, dtype=np.bool_)
    to_voxel = np.linalg.inv(grid.affine) @ pose
    for vein in (lesion.vein for lesion in lesions if lesion.vein is not None):
        box = path_box(vein.path, vein.radii_mm)
        corners = np.array(np.meshgrid(*zip(*box, strict=True), [1.0], indexing="ij")).reshape(4, -1)
        index = (to_voxel @ corners)[:3]
        low = np.maximum(np.floor(index.min(axis=1)).astype(int) - 1, 0)
        high = np.minimum(np.ceil(index.max(axis=1)).astype(int) + 2, grid.shape)
        if np.any(high <= low):
            continue
        corner = np.eye(4)
        corner[:3, 3] = low
        x, y, z = (int(n) for n in high - low)
        inner = Grid((x, y, z), grid.affine @ corner)
        parts = parts_of(inner, _PART_MM)
        points = fine_sampling(inner, pose, parts)[0].points()
        near = tube(points, vein.path, vein.radii_mm) < np.float32(VEIN_MARGIN_MM)
        block = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        mask[block] |= averaged(near.astype(np.float32), parts) > TOUCHED
    return mask
