"""The inside of a head: brain, without scalp, skull and the fluid beneath."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.registration.pyramid import LevelImage, shifted

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


def interior(image: LevelImage, *, head_level: float, depth_mm: float) -> LevelImage:
    """Positions with nothing but head around them.

    Parameters
    ----------
    image
        Coarse image of the head.
    head_level
        Grey level above which a position belongs to the head, not to air.
    depth_mm
        Half the edge of the box that must hold head only. Beyond the image the head goes on.

    Returns
    -------
    LevelImage
        1 inside, 0 elsewhere.
    """
    xp = namespace_of(image.array)
    inside: Array = xp.astype(image.array > head_level, xp.float32)
    for axis, edge in enumerate(image.voxel_size_mm):
        reach, length = round(depth_mm / edge), int(inside.shape[axis])
        eroded = inside
        for offset in range(-reach, reach + 1):
            eroded = eroded * shifted(inside, axis, offset, 1, length)
        inside = eroded
    return LevelImage(inside, image.affine)
