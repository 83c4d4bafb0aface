"""Low-order polynomials in space (host only)."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_VOXELS = 50_000


def fit_polynomial(
    image: NDArray[Any], *, weights: NDArray[Any], mask: NDArray[np.bool_], order: int = 3
) -> NDArray[np.float64]:
    """Fit a polynomial in x, y, z to an image by weighted least squares.

    Parameters
    ----------
    image
        (X, Y, Z).
    weights
        (X, Y, Z), not negative; they weight squared differences.
    mask
        (X, Y, Z) bool; voxels to fit to. Of many, every n-th is used.
    order
        Highest sum of exponents. Axes along which the mask is thinner get no higher one than they can carry.

    Returns
    -------
    NDArray
        (X, Y, Z) values of the polynomial in all voxels of the mask, zero outside.
    """
    out = np.zeros(mask.shape)
    index = np.nonzero(mask)
    if index[0].size == 0:
        return out
    middle = [0.5 * (axis.max() + axis.min()) for axis in index]
    half = [max(1.0, 0.5 * float(axis.max() - axis.min())) for axis in index]
    scaled = [(axis - m) / h for axis, m, h in zip(index, middle, half, strict=True)]
    most = [min(order, np.unique(axis).size - 1) for axis in index]
    exponents = [e for e in itertools.product(*(range(m + 1) for m in most)) if sum(e) <= order]

    def terms(every: int) -> NDArray[np.float64]:
        x, y, z = (axis[::every] for axis in scaled)
        return np.stack([x**a * y**b * z**c for a, b, c in exponents])

    every = max(1, index[0].size // _MOST_VOXELS)
    basis, weight = terms(every), np.asarray(weights[mask][::every], dtype=np.float64)
    left, right = (basis * weight) @ basis.T, (basis * weight) @ image[mask][::every]
    coefficients = np.linalg.lstsq(left, right)[0]
    values = np.zeros(index[0].size)
    for (a, b, c), coefficient in zip(exponents, coefficients, strict=True):
        values += coefficient * scaled[0] ** a * scaled[1] ** b * scaled[2] ** c
    out[mask] = values
    return out
