r"""Small blocks of the fixed image, and how each wants the moving one to be shifted.

Within a block the two images are taken to be the same up to a gain and a trend of their own, f ≈ a m + b(x) with b
linear in the position x: the shading of the coils. The correlation of what is left without the trends

.. math:: \rho = \frac{\operatorname{cov}(f, m)}{\sqrt{\operatorname{var} f \, \operatorname{var} m}}

is then all that a shift can change; with another contrast a may be negative, and |ρ| counts.
For a small shift d of the moving image, m → m + ∇m·d, the misfit with the best a and b is a quadratic form in d, of
curvature A and slope g (Gauss–Newton; a and b are eliminated).

Source: Lucas BD, Kanade T, Proc IJCAI 1981:674, for blocks with a gain of their own; local correlation as a measure for
any contrast: Ourselin S et al., Image Vis Comput 2001;19:25 (doi 10.1016/S0262-8856(00)00052-4). Differs: blocks are
not searched for but solved for, and the forms themselves are kept, since a block knows nothing along its edges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm._backend import like, namespace_of, to_numpy
from napari_msqsm.registration.host.block_layout import block_layout
from napari_msqsm.registration.host.frames import rows
from napari_msqsm.registration.interpolation import mapped, trilinear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm._backend import Array
    from napari_msqsm.registration.interpolation import Coordinates, Interpolated
    from napari_msqsm.registration.pyramid import LevelImage

_LEAST_NOISE = 1e-4
"""Standard deviation of grey levels 0…1 below which images do not differ."""
_LEAST_OUTSIDE = 0.5
"""Samples of a block outside the moving image that make it useless."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """Blocks of the fixed image.

    Parameters
    ----------
    value
        (block, sample) grey level less the block's trend, 0 outside the region.
    weight
        (block, sample) 1 inside the region.
    trend
        (block, sample, 4) orthonormal trends.
    at_mm
        (block · sample,) each, scanner position.
    centre_mm
        (block, 3) mean position; on the host.
    """

    value: Array
    weight: Array
    trend: Array
    at_mm: Coordinates
    centre_mm: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BlockForms:
    """What each block says about a transform; on the host.

    Parameters
    ----------
    correlation
        (block,) ρ; of another contrast |ρ|.
    curvature, slope
        (block, 3, 3) and (block, 3): A and g of the misfit, per mm of the fixed image's space, in units of its noise.
    inside
        (block,) whether all samples lie in the moving image.
    """

    correlation: NDArray[np.float64]
    curvature: NDArray[np.float64]
    slope: NDArray[np.float64]
    inside: NDArray[np.bool_]


def blocks_of(image: LevelImage, region: NDArray[np.bool_], *, edge_mm: float) -> Blocks:
    """Cut a region of the fixed image into blocks.

    Parameters
    ----------
    image
        Fixed image on a lattice.
    region
        (X, Y, Z) of the lattice, on the host.
    edge_mm
        Edge of a block.
    """
    layout = block_layout(region, image.voxel_size_mm, edge_mm)
    xp = namespace_of(image.array)
    weight = like(layout.weight, image.array, dtype=xp.float32)
    flat_index = np.reshape(layout.index, -1)
    value = xp.reshape(xp.take(image.flat, like(flat_index, image.array, dtype=xp.int64)), weight.shape)
    x, y, z = np.unravel_index(flat_index, image.shape)
    voxel = tuple(like(u, image.array, dtype=xp.float32) for u in (x, y, z))
    centre = layout.voxel @ image.affine[:3, :3].T + image.affine[:3, 3]
    trend = like(layout.trend, image.array, dtype=xp.float32)
    at_mm = mapped(image.to_mm, (voxel[0], voxel[1], voxel[2]))
    raw = Blocks(value, weight, trend, at_mm, centre)
    return replace(raw, value=_without_trend(value, raw))


def block_forms(blocks: Blocks, moving: LevelImage, matrix: NDArray[np.float64], *, same_contrast: bool) -> BlockForms:
    """Compare every block with the moving image under a transform.

    Parameters
    ----------
    blocks
        Of the fixed image.
    moving
        Moving image, about as smooth.
    matrix
        (4, 4) fixed scanner position → moving scanner position.
    same_contrast
        Whether a negative gain counts as no agreement.
    """
    f, m, found = blocks.value, *_laid_on(blocks, moving, matrix)
    xp = namespace_of(f)
    to_voxel = np.linalg.inv(moving.affine) @ matrix
    along = [
        sum(found.gradient[j] * float(to_voxel[j, i]) for j in range(3))  # derivative along the fixed axis i, per mm
        for i in range(3)
    ]
    power = xp.clip(xp.sum(m * m, axis=1), _LEAST_NOISE**2, None)
    gain = xp.sum(f * m, axis=1) / power
    if same_contrast:
        gain = xp.clip(gain, 0.0, None)
    misfit = f - gain[:, None] * m
    count = xp.clip(xp.sum(blocks.weight, axis=1), 1.0, None)
    noise = xp.sum(misfit * misfit, axis=1) / count + _LEAST_NOISE**2
    steps = []
    for slope in along:
        left = _without_trend(xp.reshape(slope, f.shape), blocks)
        own = xp.sum(left * m, axis=1) / power
        steps.append((left - own[:, None] * m) * gain[:, None])
    n = int(f.shape[0])
    curvature, pull = np.zeros((n, 3, 3)), np.zeros((n, 3))
    for i in range(3):
        pull[:, i] = to_numpy(xp.sum(steps[i] * misfit, axis=1) / noise)
        for j in range(i, 3):
            curvature[:, i, j] = curvature[:, j, i] = to_numpy(xp.sum(steps[i] * steps[j], axis=1) / noise)
    correlation, inside = _correlation(blocks, m, found, same_contrast=same_contrast)
    return BlockForms(correlation, curvature, pull, inside)


def block_correlation(
    blocks: Blocks, moving: LevelImage, matrix: NDArray[np.float64], *, same_contrast: bool
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """``correlation`` and ``inside`` of `block_forms` alone."""
    m, found = _laid_on(blocks, moving, matrix)
    return _correlation(blocks, m, found, same_contrast=same_contrast)


def _laid_on(blocks: Blocks, moving: LevelImage, matrix: NDArray[np.float64]) -> tuple[Array, Interpolated]:
    """Interpolate the moving image in the blocks: without its trends, and as it is."""
    xp = namespace_of(blocks.value)
    to_voxel = rows(np.linalg.inv(moving.affine) @ matrix)
    found = trilinear(moving.flat, moving.shape, mapped(to_voxel, blocks.at_mm))
    return _without_trend(xp.reshape(found.value, blocks.value.shape), blocks), found


def _correlation(
    blocks: Blocks, m: Array, found: Interpolated, *, same_contrast: bool
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    f = blocks.value
    xp = namespace_of(f)
    power = xp.clip(xp.sum(f * f, axis=1), _LEAST_NOISE**2, None) * xp.clip(
        xp.sum(m * m, axis=1), _LEAST_NOISE**2, None
    )
    rho = np.asarray(to_numpy(xp.sum(f * m, axis=1) / xp.sqrt(power)), dtype=np.float64)
    outside = to_numpy(xp.sum((1.0 - xp.reshape(found.inside, f.shape)) * blocks.weight, axis=1))
    return rho if same_contrast else np.abs(rho), outside < _LEAST_OUTSIDE


def _without_trend(values: Array, blocks: Blocks) -> Array:
    """Values less what their block's trends explain, 0 outside the region."""
    xp = namespace_of(values)
    counted = values * blocks.weight
    parts = xp.matmul(counted[:, None, :], blocks.trend)
    return counted - xp.matmul(parts, xp.matrix_transpose(blocks.trend))[:, 0, :]
