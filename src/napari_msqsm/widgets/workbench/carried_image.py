"""An image of a session on another grid, interpolated slice by slice as it is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_msqsm.model.grid import Grid, reoriented
from napari_msqsm.widgets.display import SCREEN_CODES
from napari_msqsm.widgets.lazy_image import LazyImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.transform import AffineTransform
    from napari_msqsm.workflow.inspect_pair.pictures import Box


def carried_image(values: NDArray[np.float32], grid: Grid, onto: Grid, transform: AffineTransform) -> LazyImage:
    """Image on another grid, in display order; 0 outside its field of view.

    Parameters
    ----------
    values
        (X, Y, Z).
    grid
        Its grid.
    onto
        Grid on which it is seen.
    transform
        Scanner positions on ``onto`` → those of the image, mm.

    Notes
    -----
    Linear between voxels: it is there to be looked at. What is measured is interpolated elsewhere.
    """
    _, on_screen = reoriented(np.empty(onto.shape, dtype=np.bool_), onto, SCREEN_CODES)
    placement = np.linalg.inv(grid.affine) @ transform.matrix @ on_screen.affine

    def part(box: Box) -> NDArray[Any]:
        ranges = [range(*each.indices(n)) for each, n in zip(box, on_screen.shape, strict=True)]
        steps = np.diag([*(each.step for each in ranges), 1.0])
        steps[:3, 3] = [each.start for each in ranges]
        to_voxel = placement @ steps
        return np.asarray(
            ndimage.affine_transform(
                values,
                to_voxel[:3, :3],
                to_voxel[:3, 3],
                output_shape=tuple(len(each) for each in ranges),
                output=np.float32,
                order=1,
                mode="grid-constant",
            )
        )

    return LazyImage(on_screen.shape, part)
