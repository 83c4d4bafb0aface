"""Random walker with priors on a box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import cg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_EDGE_SD = 3.0
"""Voxels whose intensities are apart by this many standard deviations of the noise are hardly joined."""
_LEAST_WEIGHT = 1e-4
_RTOL = 1e-4
_MOST_ITERATIONS = 100


def walk(
    image: NDArray[np.float32],
    prior: NDArray[np.float32],
    where: NDArray[np.bool_],
    noise: float,
    voxel_size_mm: Sequence[float],
    *,
    trust: float = 3.0,
) -> NDArray[np.float32]:
    """Probability that a random walker from each voxel ends in the lesion.

    It is the minimum of ``Σ w_ij (p_i − p_j)² + trust Σ (p_i − prior_i)²`` over neighbouring voxels ``i, j``, with

    ``w_ij = exp(−(I_i − I_j)² / 2 (3 noise)²) · (least spacing / spacing along that axis)²``

    and 0 beyond ``where``.

    Parameters
    ----------
    image
        (x, y, z) intensity.
    prior
        (x, y, z) what each voxel's own intensity says, 0 … 1.
    where
        (x, y, z) voxels that may belong to the lesion.
    noise
        Standard deviation of the noise.
    voxel_size_mm
        Along the axes.
    trust
        Weight of a voxel's own intensity against that of its neighbours.

    Returns
    -------
    NDArray
        (x, y, z), 0 … 1; 0 beyond ``where``.

    Notes
    -----
    Grady L. Multilabel random walker image segmentation using prior models, CVPR 2005 (doi 10.1109/CVPR.2005.239).
    Differs from the paper: weights know the spacing of the voxels, and there are no voxels that are certain. The system
    is diagonally dominant by ``trust``; conjugate gradients need some ten steps.
    """
    number = np.full([n + 2 for n in image.shape], -1, dtype=np.int64)
    inner = (slice(1, -1),) * 3
    n_nodes = int(np.count_nonzero(where))
    number[inner][where] = np.arange(n_nodes)
    padded = np.pad(image, 1, mode="edge")
    smallest, scale = min(voxel_size_mm), max(_EDGE_SD * noise, float(np.finfo(np.float32).tiny))
    degree = np.full(n_nodes, float(trust))
    rows, columns, weights = [], [], []
    for axis, size in enumerate(voxel_size_mm):
        nodes, values = np.moveaxis(number, axis, 0), np.moveaxis(padded, axis, 0)
        first, second = nodes[:-1].ravel(), nodes[1:].ravel()
        some = (first >= 0) | (second >= 0)
        first, second = first[some], second[some]
        step = (values[1:] - values[:-1]).ravel()[some].astype(np.float64)
        weight = (np.exp(-0.5 * (step / scale) ** 2) + _LEAST_WEIGHT) * (smallest / size) ** 2
        for ends in (first, second):
            degree += np.bincount(ends[ends >= 0], weights=weight[ends >= 0], minlength=n_nodes)
        both = (first >= 0) & (second >= 0)
        rows.append(first[both])
        columns.append(second[both])
        weights.append(weight[both])
    i, j, w = (np.concatenate(part) for part in (rows, columns, weights))
    joined = sparse.coo_array((np.r_[w, w], (np.r_[i, j], np.r_[j, i])), shape=(n_nodes, n_nodes))
    system = (sparse.diags_array(degree) - joined).tocsr()
    own = prior[where].astype(np.float64)
    found, _ = cg(system, trust * own, x0=own, rtol=_RTOL, maxiter=_MOST_ITERATIONS, M=sparse.diags_array(1.0 / degree))
    probability = np.zeros(image.shape, dtype=np.float32)
    probability[where] = np.clip(found, 0.0, 1.0)
    return probability
