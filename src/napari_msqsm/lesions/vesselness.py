"""How much a voxel looks like a part of a tube: eigenvalues of the Hessian over several scales, in mm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import scipy.fft

from napari_msqsm._backend import default_threads
from napari_msqsm.errors import ParameterError, ShapeMismatchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid

Measure = Literal["sato", "frangi"]
_ALONG_DARK, _ALONG_BRIGHT = 0.5, 2.0
_ALPHA, _BETA = 0.5, 0.5
_TINY = 1e-12
_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


def vesselness(
    image: NDArray[Any],
    grid: Grid,
    *,
    scales_mm: Sequence[float] = (0.75, 1.0, 1.5, 2.0),
    bright: bool = True,
    measure: Measure = "sato",
    mask: NDArray[np.bool_] | None = None,
    structure: float | None = None,
) -> NDArray[np.float32]:
    r"""Largest response of a tube filter over several scales.

    With :math:`\lambda_1 \ge \lambda_2 \ge \lambda_3` the eigenvalues of the Hessian of the image smoothed by a
    Gaussian of standard deviation σ, times σ², of a bright tube (of a dark one, those of the negative image):

    ``sato``
        .. math:: -\lambda_2 \exp\Bigl(-\tfrac{\lambda_1^2}{2 (a \lambda_2)^2}\Bigr), \quad
                  a = 0.5 \text{ for } \lambda_1 \le 0, \; 2 \text{ otherwise},

        in the unit of the image: a Gaussian tube of height h and standard deviation s answers with h s²σ² / (s² + σ²)²
        on its axis, at most h/4 at σ = s. 0 where :math:`\lambda_2 \ge 0`.
    ``frangi``
        .. math:: (1 - e^{-R_A^2 / 2 \alpha^2})\, e^{-R_B^2 / 2 \beta^2}\, (1 - e^{-S^2 / 2 c^2})

        with the eigenvalues ordered by size, :math:`R_A = |\lambda_2| / |\lambda_3|`, :math:`R_B = |\lambda_1| /
        \sqrt{|\lambda_2 \lambda_3|}`, S the norm of the three, α = β = 0.5; between 0 and 1.

    Parameters
    ----------
    image
        (X, Y, Z); finite.
    grid
        Its grid.
    scales_mm
        Standard deviations σ. A tube of radius r answers most at about σ = r / √2 … r.
    bright
        Whether tubes are brighter than what is around them.
    measure
        ``sato`` or ``frangi``.
    mask
        (X, Y, Z) where a response is wanted; 0 elsewhere. All voxels count for it: continue the image beyond its edge
        first (`napari_msqsm.model.resampling.masked.continued`).
    structure
        c of ``frangi``; half of the largest S in the mask when not given.

    Returns
    -------
    NDArray
        (X, Y, Z).

    Raises
    ------
    ParameterError
        When a scale is not positive, or there is none.
    ShapeMismatchError
        When image or mask do not lie on the grid.

    Notes
    -----
    Sato Y et al., Med Image Anal 1998;2:143 (doi 10.1016/S1361-8415(98)80009-1); Frangi AF et al., MICCAI 1998, LNCS
    1496:130 (doi 10.1007/BFb0056195). Differ: derivatives are in mm, of the image as a sum of
    cosines, and a voxel's own extent counts as a part of the smoothing (its variance h²/12 along an axis of step h
    is taken off σ²), so that the answer hardly depends on how a tube lies in anisotropic voxels. Along an axis whose
    step is larger than about 2σ the image holds too little for the scale.
    """
    for name, array in (("the image", image), ("the mask", mask)):
        if array is not None and array.shape != grid.shape:
            raise ShapeMismatchError(f"{name} has shape {array.shape} but its grid has {grid.shape}")
    if not scales_mm or min(scales_mm) <= 0:
        raise ParameterError(f"scales_mm must be positive, got {tuple(scales_mm)}; give such as (1.0, 2.0)")
    where = np.ones(grid.shape, dtype=np.bool_) if mask is None else mask
    signed = np.asarray(image, dtype=np.float32) * np.float32(1 if bright else -1)
    best = np.zeros(int(np.count_nonzero(where)), dtype=np.float32)
    out = np.zeros(grid.shape, dtype=np.float32)
    if best.size == 0:
        return out
    for scale in scales_mm:
        values = hessian_eigenvalues(signed, grid, scale, where)
        np.maximum(best, _sato(values) if measure == "sato" else _frangi(values, structure), out=best)
    out[where] = best
    return out


def hessian_eigenvalues(
    image: NDArray[np.float32], grid: Grid, scale_mm: float, where: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """(3, n) eigenvalues of σ² times the Hessian at the voxels of a mask, the largest first; in the image's unit.

    The image is a sum of cosines, which goes on beyond its borders as its mirror image; the derivatives of that sum are
    exact.
    """
    workers = default_threads()
    spectrum = scipy.fft.dctn(image, type=2, workers=workers)
    waves = []
    for axis, (n, step) in enumerate(zip(image.shape, grid.voxel_size_mm, strict=True)):
        wave = (
            (np.pi / (n * step) * np.arange(n)).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        )
        spectrum *= np.exp(np.float32(-0.5 * max(scale_mm**2 - step**2 / 12, 0.0)) * np.square(wave))
        waves.append(wave)
    parts = []
    for a, b in _PAIRS:
        odd = () if a == b else (a, b)
        part = np.float32(scale_mm**2 if odd else -(scale_mm**2)) * spectrum * waves[a] * waves[b]
        for axis in odd:  # cosines become sines, of which there is none of frequency 0
            part = np.roll(part, -1, axis=axis)
        part = scipy.fft.idstn(part, type=2, axes=odd, workers=workers) if odd else part
        even = tuple(axis for axis in range(3) if axis not in odd)
        parts.append(scipy.fft.idctn(part, type=2, axes=even, workers=workers)[where])
    return symmetric_eigenvalues(np.stack(parts))


def symmetric_eigenvalues(parts: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """(3, n) eigenvalues, the largest first, of symmetric 3×3 matrices with parts xx, yy, zz, xy, xz, yz, each (n,).

    Smith OK, Commun ACM 1961;4:168 (doi 10.1145/355578.366316).
    """
    xx, yy, zz, xy, xz, yz = parts.astype(np.float64)
    mean = (xx + yy + zz) / 3
    xx, yy, zz = xx - mean, yy - mean, zz - mean
    spread = np.sqrt((xx * xx + yy * yy + zz * zz + 2 * (xy * xy + xz * xz + yz * yz)) / 6)
    determinant = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
    angle = np.arccos(np.clip(determinant / np.maximum(2 * spread**3, _TINY * _TINY), -1, 1)) / 3
    first = mean + 2 * spread * np.cos(angle)
    last = mean + 2 * spread * np.cos(angle + 2 * np.pi / 3)
    return np.stack([first, 3 * mean - first - last, last]).astype(np.float32)


def _sato(values: NDArray[np.float32]) -> NDArray[np.float32]:
    first, second, _ = values
    across = np.maximum(-second, 0)
    width = np.where(first <= 0, np.float32(_ALONG_DARK), np.float32(_ALONG_BRIGHT)) * np.maximum(across, _TINY)
    return np.asarray(across * np.exp(-0.5 * np.square(first / width)), dtype=np.float32)


def _frangi(values: NDArray[np.float32], structure: float | None) -> NDArray[np.float32]:
    order = np.argsort(np.abs(values), axis=0)
    small, middle, large = np.take_along_axis(values, order, axis=0)
    norm = np.sqrt(np.sum(np.square(values), axis=0))
    c = structure if structure is not None else 0.5 * float(norm.max())
    plate = np.abs(middle) / np.maximum(np.abs(large), _TINY)
    blob = np.abs(small) / np.sqrt(np.maximum(np.abs(middle * large), _TINY))
    found = (1 - np.exp(-np.square(plate) / (2 * _ALPHA**2))) * np.exp(-np.square(blob) / (2 * _BETA**2))
    found *= 1 - np.exp(-np.square(norm) / (2 * max(c, _TINY) ** 2))
    return np.where((middle < 0) & (large < 0), found, 0).astype(np.float32)
