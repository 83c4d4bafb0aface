r"""What background removal left in the local field.

A field of sources outside the brain is harmonic inside it: strongest at the edge, smooth in the depth. The field of
tissue is neither.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.robust import any_of, mean_inside

if TYPE_CHECKING:
    from napari_msqsm._backend import Array

_EDGE_MM = 5.0
_DEPTH_MM = 10.0
MOST_SAMPLES = 100_000
_N_HARMONICS = 16


def edge_energy_ratio(local_field_hz: Array, *, mask: Array, depth_mm: Array) -> float:
    """Mean square of the local field in the outer 5 mm of its mask, relative to that deeper than 10 mm.

    Parameters
    ----------
    local_field_hz
        (X, Y, Z).
    mask
        (X, Y, Z) bool; where the local field is known.
    depth_mm
        (X, Y, Z), distance to the nearest voxel outside ``mask``.

    Returns
    -------
    float
        About 1 without residual background; NaN when no voxel is deeper than 10 mm.
    """
    outer, inner = mask & (depth_mm <= _EDGE_MM), mask & (depth_mm > _DEPTH_MM)
    squared = local_field_hz * local_field_hz
    below = mean_inside(squared, inner)
    return mean_inside(squared, outer) / below if below > 0 and any_of(outer) else math.nan


def harmonic_fraction(local_field_hz: Array, *, mask: Array, voxel_size_mm: tuple[float, float, float]) -> float:
    r"""Part of the local field's energy that solid harmonics up to the third degree explain.

    .. math:: \lVert P f \rVert^2 / \lVert f \rVert^2

    with P the projection onto the 16 harmonic polynomials 1, x, …, x³ − 3xy² over the mask.

    Parameters
    ----------
    local_field_hz
        (X, Y, Z).
    mask
        (X, Y, Z) bool; where the local field is known. At most 100 000 voxels, spread evenly, are used.
    voxel_size_mm
        Voxel edges.

    Returns
    -------
    float
        0 … 1; small without residual background. NaN for a field of zero or fewer voxels than harmonics.
    """
    xp = namespace_of(local_field_hz, mask)
    places = xp.nonzero(mask)
    number = int(places[0].shape[0])
    if number < _N_HARMONICS:
        return math.nan
    stride = max(1, math.ceil(number / MOST_SAMPLES))
    field = local_field_hz[mask][::stride]
    axes = []
    for place, step in zip(places, voxel_size_mm, strict=True):
        coordinate = xp.astype(place[::stride], field.dtype) * float(step)
        axes.append(coordinate - float(xp.mean(coordinate)))
    size = max(float(xp.max(xp.abs(axis))) for axis in axes)
    x, y, z = (axis * (1.0 / size) for axis in axes) if size > 0 else axes
    q = xp.linalg.qr(xp.stack(_solid_harmonics(x, y, z), axis=1), mode="reduced").Q
    whole = float(xp.sum(field * field))
    part = xp.matmul(xp.matrix_transpose(q), xp.reshape(field, (-1, 1)))
    return min(1.0, float(xp.sum(part * part)) / whole) if whole > 0 else math.nan


def _solid_harmonics(x: Array, y: Array, z: Array) -> list[Array]:
    """Real solid harmonics of degree 0 … 3, unnormalised."""
    xx, yy, zz = x * x, y * y, z * z
    ring = 4.0 * zz - xx - yy
    return [
        x * 0.0 + 1.0,
        x,
        y,
        z,
        x * y,
        y * z,
        x * z,
        xx - yy,
        2.0 * zz - xx - yy,
        x * (xx - 3.0 * yy),
        y * (3.0 * xx - yy),
        z * (xx - yy),
        x * y * z,
        x * ring,
        y * ring,
        z * (2.0 * zz - 3.0 * xx - 3.0 * yy),
    ]
