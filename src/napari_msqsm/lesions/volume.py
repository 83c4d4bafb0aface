"""Volume of a lesion on FLAIR, corrected for voxels that it fills in part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_msqsm.errors import ShapeMismatchError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid

_RING_MM = 6.0
_LEAST_CORE, _LEAST_RING = 5, 20
_BRIGHTEST = 0.25
_LEAST_CONTRAST = 3.0
_MOST_BEYOND = 0.25
_MAD_TO_SD = 1.4826
_CROSS = ndimage.generate_binary_structure(3, 1)
_CUBE = ndimage.generate_binary_structure(3, 3)


@dataclass(frozen=True)
class LesionVolume:
    """Volume of one lesion at one session.

    Parameters
    ----------
    count_mm3
        Voxels that were drawn, times the volume of one.
    partial_mm3
        Corrected for partial volume; None where the lesion does not stand out enough to tell (see `reason`).
    reason
        Why there is no corrected volume; empty where there is one.
    """

    count_mm3: float
    partial_mm3: float | None
    reason: str = ""


def lesion_volume(image: NDArray[Any], drawn: NDArray[np.bool_], other: NDArray[np.bool_], grid: Grid) -> LesionVolume:
    r"""Volume by voxel count, and corrected for partial volume.

    A voxel that the lesion fills to a part f is as bright as ``(1 − f) I_white + f I_lesion``. So

    .. math:: V = v \Big( N_\text{core} + \sum_\text{border} \frac{I - I_\text{white}}{I_\text{lesion} - I_\text{white}}
              \Big)

    The core are the drawn voxels of which all six neighbours are drawn: they count whole. The border are the other
    drawn voxels and one layer around them that belongs to no lesion. ``I_lesion`` is the median of the core (of a
    lesion with fewer than 5 such voxels, of the brightest quarter of what was drawn), ``I_white`` the median over 6 mm
    beyond that layer, values further than three standard deviations from it left out.

    Parameters
    ----------
    image
        (X, Y, Z) FLAIR.
    drawn
        (X, Y, Z) voxels of the lesion.
    other
        (X, Y, Z) voxels of all other lesions.
    grid
        Of the three. A crop that reaches 8 mm and three voxels beyond the lesion will do.

    Returns
    -------
    LesionVolume
        ``partial_mm3`` is None where less than 20 voxels of other tissue are near, or the lesion is not brighter than
        it by three standard deviations.

    Raises
    ------
    ShapeMismatchError
        When the arrays do not lie on the grid.

    Notes
    -----
    A part may lie a quarter below 0 or above 1, no further: so noise cancels in the sum, and other tissue at the border
    (ventricles, veins) does not pull it far. Differs from Tohka J, Zijdenbos A, Evans A, NeuroImage 2004;23:84 (doi
    10.1016/j.neuroimage.2004.05.007): two tissues about each lesion instead of classes of the whole brain, and noise is
    left in the parts, whose sum alone is of interest.
    """
    for name, array in (("the image", image), ("the lesion", drawn), ("the image of other lesions", other)):
        if array.shape != grid.shape:
            raise ShapeMismatchError(f"{name} has shape {array.shape} but its grid {grid.shape}")
    count_mm3 = float(np.count_nonzero(drawn)) * grid.voxel_volume_mm3
    if not drawn.any():
        return LesionVolume(0.0, None, "nothing was drawn")
    box = _about(drawn, grid)
    values, drawn, other = np.asarray(image[box], dtype=np.float64), drawn[box], other[box] & ~drawn[box]
    core = ndimage.binary_erosion(drawn, _CROSS, border_value=1)
    touched = ndimage.binary_dilation(drawn, _CUBE)
    distance_mm = ndimage.distance_transform_edt(~touched, sampling=grid.voxel_size_mm)
    ring = (distance_mm > 0) & (distance_mm <= _RING_MM) & ~ndimage.binary_dilation(other, _CUBE)
    white, noise, n_ring = _level(values[ring & np.isfinite(values)])
    if n_ring < _LEAST_RING:
        return LesionVolume(count_mm3, None, "too little tissue without lesions around it")
    inside = values[core] if np.count_nonzero(core) >= _LEAST_CORE else values[drawn]
    inside = inside[np.isfinite(inside)]
    if np.count_nonzero(core) < _LEAST_CORE:
        inside = np.sort(inside)[-max(1, round(_BRIGHTEST * inside.size)) :]
    if inside.size == 0 or float(np.median(inside)) - white < max(_LEAST_CONTRAST * noise, np.finfo(float).tiny):
        return LesionVolume(count_mm3, None, "it is not brighter than the tissue around it")
    border = touched & ~core & ~other
    parts = (values[border] - white) / (float(np.median(inside)) - white)
    parts = np.clip(np.nan_to_num(parts), -_MOST_BEYOND, 1.0 + _MOST_BEYOND)
    filled = float(np.count_nonzero(core)) + float(parts.sum())
    return LesionVolume(count_mm3, max(0.0, filled) * grid.voxel_volume_mm3)


def _about(drawn: NDArray[np.bool_], grid: Grid) -> tuple[slice, ...]:
    """Box that reaches as far beyond a lesion as is looked at."""
    (found,) = ndimage.find_objects(drawn.astype(np.uint8))
    reach = [int(np.ceil(_RING_MM / step)) + 3 for step in grid.voxel_size_mm]
    return tuple(slice(max(0, part.start - n), part.stop + n) for part, n in zip(found, reach, strict=True))


def _level(values: NDArray[np.float64]) -> tuple[float, float, int]:
    """Robust centre and spread of values, and how many there are."""
    if values.size == 0:
        return 0.0, 0.0, 0
    for _ in range(3):
        centre = float(np.median(values))
        spread = _MAD_TO_SD * float(np.median(np.abs(values - centre)))
        values = values[np.abs(values - centre) <= max(3 * spread, 1e-12)]
    return float(np.median(values)), spread, int(values.size)
