r"""Removal of coil shading: the slow part of the logarithm of an image.

.. math:: u = v \, e^{-b}, \quad b = \frac{G * (m\,(\ln v - \overline{\ln v}))}{G * m}

with m the head and G a Gaussian of ``shading_mm``, computed on voxels of 4 mm. In air b falls to zero, so that noise
there is not raised.

Source: homomorphic filtering, as reviewed by Vovk U et al., IEEE Trans Med Imaging 2007;26:405
(doi 10.1109/TMI.2006.891486). Differs: the filter is normalised by the head, so that its border stays.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm._backend import like, namespace_of
from napari_msqsm.registration.host.frames import inverse
from napari_msqsm.registration.pyramid import LevelImage, smoothed

if TYPE_CHECKING:
    from napari_msqsm._backend import Array

_LEAST_SHARE = 0.02
_SMALLEST = 1e-3


def without_shading(image: LevelImage, coarse: LevelImage, *, head_level: float, shading_mm: float) -> LevelImage:
    """Divide an image by its slowly varying part.

    Parameters
    ----------
    image
        Values of any scale, 0 or noise in air.
    coarse
        The same image on voxels of about 4 mm, their axes along those of ``image``.
    head_level
        Values above belong to the head.
    shading_mm
        Standard deviation of the Gaussian; slower changes are removed.
    """
    xp = namespace_of(coarse.array)
    head = xp.astype(coarse.array > head_level, coarse.array.dtype)
    voxels = float(xp.sum(head))
    if voxels == 0:
        return image
    log = xp.log(xp.clip(coarse.array, _SMALLEST, None))
    total, share = (log - float(xp.sum(log * head)) / voxels) * head, head
    for axis, edge in enumerate(coarse.voxel_size_mm):
        total = smoothed(total, axis, shading_mm / edge)
        share = smoothed(share, axis, shading_mm / edge)
    gain = xp.exp(-total / xp.clip(share, _LEAST_SHARE, None))
    to_coarse = inverse(coarse.affine) @ image.affine
    for axis, length in enumerate(image.shape):
        gain = _stretched(
            gain, axis, [float(to_coarse[axis, axis]) * j + float(to_coarse[axis, 3]) for j in range(length)]
        )
    gain *= image.array
    return LevelImage(gain, image.affine)


def _stretched(array: Array, axis: int, places: list[float]) -> Array:
    """Linear interpolation along one axis, at places in voxels; the ends go on."""
    xp = namespace_of(array)
    length = int(array.shape[axis])
    at = [min(max(u, 0.0), length - 1.0) for u in places]
    low = [min(math.floor(u), length - 2) for u in at]
    shape = [1, 1, 1]
    shape[axis] = len(at)
    share = xp.reshape(like([u - i for u, i in zip(at, low, strict=True)], array, dtype=array.dtype), tuple(shape))
    index = like(low, array, dtype=xp.int64)
    near = xp.take(array, index, axis=axis)
    step = xp.take(array, index + 1, axis=axis)
    step -= near
    step *= share
    near += step
    return near
