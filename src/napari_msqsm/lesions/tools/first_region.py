"""From a click to a first idea of the lesion: its intensity, and the level at which it does not leak yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.lesions.tools.local_contrast import local_mean
from napari_msqsm.lesions.tools.noise import noise_sd
from napari_msqsm.lesions.tools.opening import Voxel, body_of, connected, distance_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SMOOTH_MM = 0.6
_NEAR_MM = 2.5
"""The click may miss the bright part of the lesion by this."""
_AS_BRIGHT = 0.92
_AROUND_MM = 10.0
_DARKEST, _BRIGHTEST = 0.3, 0.85
"""What is about a lesion, as parts of its intensity: not fluid, and not lesion."""
_LEAST_AROUND = 0.05
_LEVELS = (0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5)
_LEAK = 2.0
"""More than so many times larger from one level to the next is a leak; small regions may grow to 24 voxels."""
_SMALL = 12
_LEAST_CONTRAST = 2.0


@dataclass(frozen=True, eq=False)
class FirstRegion:
    """What a click tells.

    Parameters
    ----------
    inside
        (x, y, z) voxels of the lesion, as far as is known.
    anchor
        Voxel in the bright part of the lesion.
    radius_mm
        Of the ball that fits into it.
    lesion, around
        Intensity of the lesion and of what is about it.
    noise
        Standard deviation of the noise.
    """

    inside: NDArray[np.bool_]
    anchor: Voxel
    radius_mm: float
    lesion: float
    around: float
    noise: float


def first_region(
    image: NDArray[np.float32], free: NDArray[np.bool_], click: Voxel, voxel_size_mm: Sequence[float]
) -> FirstRegion:
    """Find the bright region about a click.

    Parameters
    ----------
    image
        (x, y, z) finite intensities of a box.
    free
        (x, y, z) voxels that may be lesion.
    click
        One of them.
    voxel_size_mm
        Along the axes.

    Notes
    -----
    The lesion's intensity is that of the brightest voxels within 2.5 mm of the click, after smoothing over 0.6 mm; the
    nearest of them is the anchor. About it, the commonest intensity (half-sample mode, Bickel DR, Frühwirth R.
    Comput Stat Data Anal 2006;50:3500, doi 10.1016/j.csda.2005.07.011) within 10 mm that is neither as bright nor as
    dark as fluid is that of its surroundings; within the whole box where that is less than 5 % of the voxels, and that
    of the lesion itself where there is nothing else. The region above a level between both is followed from 85 % of the
    way down to half-way, without what hangs on it by a thinner part (`body_of`), and no further than the level at which
    it doubles from one step to the next: there it leaks into something else that is bright.
    """
    noise = noise_sd(image)
    smooth = local_mean(image, free, _SMOOTH_MM, voxel_size_mm, otherwise=0.0)
    distance = distance_from(image.shape, click, voxel_size_mm)
    near = free & (distance <= _NEAR_MM)
    near[click] = True
    bright = near & (smooth >= _AS_BRIGHT * smooth[near].max())
    lesion = float(np.median(smooth[bright]))
    x, y, z = (int(i) for i in np.unravel_index(int(np.argmin(np.where(bright, distance, np.inf))), image.shape))
    around = _around(image[free & (distance < _AROUND_MM)], lesion)
    if around is None:
        around = _around(image[free], lesion)
    around = lesion if around is None else around
    level = (smooth - np.float32(around)) / np.float32(max(lesion - around, _LEAST_CONTRAST * noise, 1e-6))
    inside, radius_mm = _followed(level, free, (x, y, z), voxel_size_mm)
    return FirstRegion(inside, (x, y, z), radius_mm, lesion, around, noise)


def _around(values: NDArray[np.float32], lesion: float) -> float | None:
    """Commonest intensity of what is about a lesion; None where that is too little."""
    others = values[(values > _DARKEST * lesion) & (values < _BRIGHTEST * lesion)]
    return half_sample_mode(others) if others.size > _LEAST_AROUND * values.size else None


def half_sample_mode(values: NDArray[np.float32]) -> float:
    """Commonest of some values: always on into the half of them that lies closest together."""
    left = np.sort(values)
    while left.size > 3:
        half = (left.size + 1) // 2
        first = int(np.argmin(left[half - 1 :] - left[: left.size - half + 1]))
        left = left[first : first + half]
    return float(left.mean())


def _followed(
    level: NDArray[np.float32], free: NDArray[np.bool_], anchor: Voxel, voxel_size_mm: Sequence[float]
) -> tuple[NDArray[np.bool_], float]:
    best, radius_mm = body_of(connected((level > _LEVELS[0]) & free, anchor), anchor, voxel_size_mm)
    for cut in _LEVELS[1:]:
        body, depth_mm = body_of(connected((level > cut) & free, anchor), anchor, voxel_size_mm)
        if np.count_nonzero(body) > _LEAK * max(int(np.count_nonzero(best)), _SMALL):
            break
        best, radius_mm = body, depth_mm
    return best, radius_mm
