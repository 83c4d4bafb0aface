"""What is done to the lesion from slice to slice: fill between drawn slices, copy to the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.lesions.tools.between_slices import fill_between_slices
from napari_msqsm.lesions.tools.copy_slice import copied_to_slice

if TYPE_CHECKING:
    from napari_msqsm.widgets.workbench.easel import Easel


def interpolate(easel: Easel, axis: int) -> None:
    """Fill the slices between drawn ones; what cannot be filled is told.

    Parameters
    ----------
    easel
        With the lesion.
    axis
        Axis of the image, 0…2, perpendicular to the drawn slices.
    """
    if not easel.ready():
        return
    filled = fill_between_slices(easel.labels, easel.label, axis=axis, voxel_size_mm=easel.grid.voxel_size_mm)
    if not filled.slices:
        easel.tell("there is no gap between drawn slices of this lesion in the direction that is seen")
        return
    easel.write(filled.index, easel.label)
    easel.finish("interpolate between slices")
    if filled.unmatched_parts:
        easel.tell(
            f"{filled.unmatched_parts} parts of drawn slices have no counterpart across a gap: they end where drawn"
        )


def copy_slice(easel: Easel, axis: int, source: int, target: int) -> bool:
    """Copy the lesion of one slice to another one; returns whether there was anything to copy."""
    if not easel.ready():
        return False
    if not 0 <= target < easel.grid.shape[axis]:
        easel.tell("there is no further slice in this direction")
        return False
    if not (easel.labels.take(source, axis=axis) == easel.label).any():
        easel.tell("the lesion is not drawn in the slice that is seen")
        return False
    easel.write(copied_to_slice(easel.labels, easel.label, axis=axis, source=source, target=target), easel.label)
    easel.finish("copy to the next slice")
    return True
