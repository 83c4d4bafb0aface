"""Intensity of a lesion and of what is next to it, as they change from place to place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_AROUND_MM, _LESION_MM = 3.0, 4.0
"""Standard deviation of the Gaussian over which intensities are averaged about and in the lesion."""
_FAR = 2.5
_TINY = np.float32(1e-3)
_LEAST_CORE = 5
_BRIGHTER = 0.6
_LEAST_CONTRAST = 2.0


@dataclass(frozen=True, eq=False)
class LocalContrast:
    """Level of a lesion and of its surroundings at every voxel of a box.

    Parameters
    ----------
    lesion, around
        (x, y, z) intensity that a voxel has when it is all lesion, or all of what is next to the lesion there.
    noise
        Standard deviation of the noise.
    """

    lesion: NDArray[np.float32]
    around: NDArray[np.float32]
    noise: float

    @classmethod
    def between(
        cls,
        image: NDArray[np.float32],
        free: NDArray[np.bool_],
        inside: NDArray[np.bool_],
        noise: float,
        voxel_size_mm: Sequence[float],
    ) -> LocalContrast:
        """Learn the levels from an outline.

        Parameters
        ----------
        image
            (x, y, z) finite intensities.
        free
            (x, y, z) voxels that count.
        inside
            (x, y, z) the lesion as it is known so far. Voxels at its edge count to neither side.
        noise
            Standard deviation of the noise.
        voxel_size_mm
            Along the axes.
        """
        core = ndimage.binary_erosion(inside)
        if np.count_nonzero(core) < _LEAST_CORE:
            core = inside & (image >= np.quantile(image[inside], _BRIGHTER))
        outside = free & ~ndimage.binary_dilation(inside)
        level = float(np.median(image[core]))
        usual = float(np.median(image[outside])) if outside.any() else level
        return cls(
            local_mean(image, core, _LESION_MM, voxel_size_mm, otherwise=level),
            local_mean(image, outside, _AROUND_MM, voxel_size_mm, otherwise=usual),
            noise,
        )

    def share(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Part of every voxel that is lesion, 0 … 1: how far its intensity is on the way between the levels."""
        gap = np.maximum(self.lesion - self.around, np.float32(_LEAST_CONTRAST * self.noise) + np.float32(1e-6))
        return np.asarray(np.clip((image - self.around) / gap, 0, 1), dtype=np.float32)


def local_mean(
    image: NDArray[np.float32],
    where: NDArray[np.bool_],
    sd_mm: float,
    voxel_size_mm: Sequence[float],
    *,
    otherwise: float,
) -> NDArray[np.float32]:
    """Gaussian mean over some voxels only, by normalised convolution.

    Parameters
    ----------
    image
        (x, y, z).
    where
        (x, y, z) voxels that count.
    sd_mm
        Standard deviation of the Gaussian.
    voxel_size_mm
        Along the axes.
    otherwise
        What it goes to where none of them is near.
    """
    width = [sd_mm / size for size in voxel_size_mm]
    weight = ndimage.gaussian_filter(where.astype(np.float32), width, truncate=_FAR)
    total = ndimage.gaussian_filter(np.where(where, image, np.float32(0)), width, truncate=_FAR)
    return np.asarray((total + _TINY * np.float32(otherwise)) / (weight + _TINY), dtype=np.float32)
