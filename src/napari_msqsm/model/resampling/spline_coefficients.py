"""Coefficients of the B-spline that runs through the samples of an image."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm._backend import like, namespace_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm._backend import Array

_SAMPLED = {3: (2 / 3, 1 / 6), 5: (11 / 20, 13 / 60, 1 / 120)}
"""The B-spline of a degree at 0, 1, …"""


def spline_coefficients(image: Array, degree: int) -> Array:
    """Coefficients ``c`` with ``Σ c(j) β(i − j) = image(i)``, the image mirrored about its first and last samples.

    Parameters
    ----------
    image
        (X, Y, Z).
    degree
        3 or 5.

    Returns
    -------
    Array
        (X, Y, Z) of the same type.

    Notes
    -----
    Axis by axis, as a product with the inverse of the band matrix of the B-spline's samples. Differs from the
    recursive filter of Unser M (1999, doi 10.1109/79.799930): exact at the edges for any number of samples, and the
    same on a GPU.
    """
    xp = namespace_of(image)
    x, y, z = image.shape
    along_x, along_y, along_z = (like(_solver(n, degree), image, dtype=image.dtype) for n in (x, y, z))
    out = xp.reshape(along_x @ xp.reshape(image, (x, y * z)), (x, y, z))
    return xp.matmul(xp.matmul(along_y, out), xp.permute_dims(along_z, (1, 0)))


def mirrored(index: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Index of the sample that stands for each index beyond an axis of ``n`` samples."""
    if n == 1:
        return np.zeros_like(index)
    period = 2 * (n - 1)
    folded = np.mod(index, period)
    return np.where(folded < n, folded, period - folded)


@functools.lru_cache(maxsize=16)
def _solver(n: int, degree: int) -> NDArray[np.float64]:
    matrix = np.zeros((n, n))
    rows = np.arange(n)
    for step, value in enumerate(_SAMPLED[degree]):
        for signed in {step, -step}:
            np.add.at(matrix, (rows, mirrored(rows + signed, n)), value)
    inverse: NDArray[np.float64] = np.linalg.inv(matrix).astype(np.float64)
    inverse.setflags(write=False)
    return inverse
