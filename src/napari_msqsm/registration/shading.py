r"""Removal of coil shading: the slow part of the logarithm of an image.

.. math:: u = v \, e^{-b}, \quad b = \frac{G * (m\,(\ln v - \overline{\ln v}))}{G * m}

with m the tissue and G a Gaussian of ``shading_mm``, computed on voxels of about 4 mm. Tissue is what differs from its
surroundings by less than a factor: bone, fat, vessels and signal lost beside air are left out, found in a few rounds;
their grey levels would make the brain beside them look shaded. In air b falls to zero, so that noise there is not
raised.

Source: homomorphic filtering, as reviewed by Vovk U et al., IEEE Trans Med Imaging 2007;26:405
(doi 10.1109/TMI.2006.891486). Differs: the filter is normalised by the tissue, so that the border of the brain stays.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm._backend import like, namespace_of
from napari_msqsm.registration.host.frames import inverse
from napari_msqsm.registration.prepared import slabs
from napari_msqsm.registration.pyramid import LevelImage, smoothed

if TYPE_CHECKING:
    from napari_msqsm._backend import Array

_LEAST_SHARE = 0.02
_ROUNDS = 3
_LEAST_TISSUE = 0.2
"""Grey level above which the first round counts a position as tissue; half of that in the others."""
_TISSUE_RANGE = 0.5
"""Largest difference from the surroundings, of the logarithm."""
_SMALLEST = 1e-3


def without_shading(image: LevelImage, coarse: LevelImage, *, shading_mm: float) -> LevelImage:
    """Divide an image by its slowly varying part.

    Parameters
    ----------
    image
        Grey levels 0…1, 0 or noise in air.
    coarse
        The same image on voxels of about 4 mm, their axes along those of ``image``.
    shading_mm
        Standard deviation of the Gaussian; slower changes are removed.
    """
    xp = namespace_of(coarse.array)
    log = xp.log(xp.clip(coarse.array, _SMALLEST, None))
    tissue = coarse.array > _LEAST_TISSUE
    shading = xp.zeros_like(log)
    for _ in range(_ROUNDS):
        counted = xp.astype(tissue, log.dtype)
        voxels = float(xp.sum(counted))
        if voxels == 0:
            return LevelImage(xp.asarray(image.array, copy=True), image.affine)
        total, share = (log - float(xp.sum(log * counted)) / voxels) * counted, counted
        for axis, edge in enumerate(coarse.voxel_size_mm):
            total = smoothed(total, axis, shading_mm / edge)
            share = smoothed(share, axis, shading_mm / edge)
        shading = total / xp.clip(share, _LEAST_SHARE, None)
        level = float(xp.sum((log - shading) * counted)) / voxels
        tissue = xp.logical_and(coarse.array > 0.5 * _LEAST_TISSUE, xp.abs(log - shading - level) < _TISSUE_RANGE)
    gain = xp.exp(-shading)
    to_coarse = inverse(coarse.affine) @ image.affine
    places = [
        [float(to_coarse[axis, axis]) * j + float(to_coarse[axis, 3]) for j in range(n)]
        for axis, n in enumerate(image.shape)
    ]
    gain = _stretched(gain, 0, places[0])  # the small axes first, the whole image only slab by slab
    gain = _stretched(gain, 1, places[1])
    out = xp.empty_like(image.array)
    for part in slabs(image.shape):
        out[part] = _stretched(gain[part], 2, places[2]) * image.array[part]
    return LevelImage(out, image.affine)


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
    return near + (xp.take(array, index + 1, axis=axis) - near) * share
