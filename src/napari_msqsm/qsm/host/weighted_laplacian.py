"""The weighted Laplacian on the host, in one sweep over slabs that stay in the processor's cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SLAB_BYTES = 1 << 20
"""A slab's image, differences, result and weight together fit into a usual second-level cache or little more."""


def weighted_laplacian(
    image: NDArray[Any],
    weights: Sequence[NDArray[Any]] | None,
    voxel_size_mm: tuple[float, float, float],
    *,
    periodic: bool,
) -> NDArray[Any]:
    """Minus the divergence of weights times gradient; see `napari_msqsm.qsm.stencils.weighted_laplacian`."""
    image = np.ascontiguousarray(image)
    out = np.zeros_like(image)
    per_mm2 = [image.dtype.type(1.0 / step**2) for step in voxel_size_mm]
    thickness = max(1, _SLAB_BYTES // max(1, image[0].nbytes))
    buffer = np.empty((min(thickness, image.shape[0]), *image.shape[1:]), dtype=image.dtype)
    for first in range(0, image.shape[0], thickness):
        last = min(first + thickness, image.shape[0])
        difference, slab, result = buffer[: last - first], image[first:last], out[first:last]
        parts = [weight[first:last] for weight in weights] if weights is not None else [None] * 3
        _along_rows(slab, difference, periodic)
        _weigh(difference, parts[2], per_mm2[2])
        _spread_rows(difference, result)
        _along_columns(slab, difference, periodic)
        _weigh(difference, parts[1], per_mm2[1])
        result -= difference
        result[:, 1:] += difference[:, :-1]
        result[:, 0] += difference[:, -1]
        _across_slabs(image, first, last, difference, periodic)
        _weigh(difference, parts[0], per_mm2[0])
        result -= difference
        out[first + 1 : last] += difference[:-1]
        out[last % image.shape[0]] += difference[-1]
    return out


def _weigh(difference: NDArray[Any], weight: NDArray[Any] | None, per_mm2: Any) -> None:
    if weight is not None:
        difference *= weight
    difference *= per_mm2


def _along_rows(slab: NDArray[Any], difference: NDArray[Any], periodic: bool) -> None:
    """Differences along the last axis: of neighbours in memory, then those at the ends of rows mended."""
    values, flat = slab.reshape(-1), difference.reshape(-1)
    np.subtract(values[1:], values[:-1], out=flat[:-1])
    difference[:, :, -1] = slab[:, :, 0] - slab[:, :, -1] if periodic else 0


def _spread_rows(difference: NDArray[Any], result: NDArray[Any]) -> None:
    """Adjoint of `_along_rows`."""
    result -= difference
    around = difference[:, :, -1].copy()
    difference[:, :, -1] = 0
    result.reshape(-1)[1:] += difference.reshape(-1)[:-1]
    result[:, :, 0] += around


def _along_columns(slab: NDArray[Any], difference: NDArray[Any], periodic: bool) -> None:
    np.subtract(slab[:, 1:], slab[:, :-1], out=difference[:, :-1])
    difference[:, -1] = slab[:, 0] - slab[:, -1] if periodic else 0


def _across_slabs(image: NDArray[Any], first: int, last: int, difference: NDArray[Any], periodic: bool) -> None:
    """Differences along the first axis, the last of them to the slab behind."""
    np.subtract(image[first + 1 : last], image[first : last - 1], out=difference[:-1])
    if last < image.shape[0] or periodic:
        np.subtract(image[last % image.shape[0]], image[last - 1], out=difference[-1])
    else:
        difference[-1] = 0
