"""Spatial unwrapping along the tree of the most trusted neighbour pairs (host only).

Source: Dymerska B et al., MRM 2021;85:2294 (doi 10.1002/mrm.28563), "ROMEO".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree

from napari_msqsm.qsm.host.whole_periods import with_turns

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEVELS = 255
"""Costs of a pair are whole numbers from 1 to this, as in the paper."""
_WORST = 0.1
"""What a hopeless quantity leaves of a pair's quality: the others still rank such pairs."""


def unwrap_by_quality(
    field_hz: NDArray[Any],
    *,
    period_hz: float,
    mask: NDArray[np.bool_],
    magnitude: NDArray[Any] | None = None,
    noise_sd_hz: NDArray[Any] | None = None,
    fit_residual: NDArray[Any] | None = None,
) -> NDArray[Any]:
    r"""Add multiples of a period, from voxel to voxel along the spanning tree of greatest quality.

    The quality of a pair of neighbours :math:`i, j` is the product of

    * :math:`1 - |\mathcal W(f_i - f_j)| / (P/2)`: similar fields (the wrapped difference :math:`\mathcal W`),
    * :math:`(\min(m_i, m_j) / \max(m_i, m_j))^2`: similar magnitudes,
    * :math:`\tfrac12 + \tfrac12 \min(1, 2 \min(m_i, m_j) / m_{98})`: much signal (:math:`m_{98}`, the 98th percentile),
    * :math:`1 / (1 + 4 (\sigma_i^2 + \sigma_j^2) / (P/2)^2)`: small noise against half a period,
    * :math:`1 - \max(r_i, r_j)`: the phase of all echoes agrees with one field,

    each no less than 0.1. The result does not depend on a seed: in a tree, the number of turns between two voxels is
    that of the path between them.

    Parameters
    ----------
    field_hz
        (X, Y, Z), known up to multiples of ``period_hz``; where it is not finite is outside the mask.
    period_hz
        The field that turns the phase by 2π.
    mask
        (X, Y, Z) bool. Each connected part is unwrapped by itself and brought to the multiple of the period that
        puts its median closest to zero.
    magnitude
        (X, Y, Z), any scale.
    noise_sd_hz
        (X, Y, Z) standard deviation of the field; 0 is unknown and counts as the worst.
    fit_residual
        (X, Y, Z) misfit of the echoes relative to the signal, 0 … 1.

    Returns
    -------
    NDArray
        (X, Y, Z), zero outside the mask; differs from the input by whole periods.

    Notes
    -----
    Differs from the paper: the field of all echoes is unwrapped, not the phase of one echo, so that the agreement over
    echoes enters as the misfit of their fit instead of as the comparison of two echoes; the tree is found first
    (Kruskal) and walked in a logarithmic number of vector operations.
    """
    mask = mask & np.isfinite(field_hz)
    field_hz = np.where(mask, field_hz, 0).astype(field_hz.dtype)
    radians = np.asarray(field_hz[mask] * (2.0 * np.pi / period_hz), dtype=np.float64)
    n = radians.size
    if n == 0:
        return field_hz
    first, second = _neighbours(mask)
    step = _wrapped(radians[first] - radians[second])
    quality = 1.0 - np.abs(step) / np.pi
    for part in _pair_qualities(first, second, mask, 0.5 * period_hz, magnitude, noise_sd_hz, fit_residual):
        quality *= np.maximum(part, _WORST)
    cost = np.clip(np.round((1.0 - quality) * _LEVELS), 1, _LEVELS)
    parent = _parents(first, second, cost, n)
    root = parent < 0
    parent = np.where(root, np.arange(n), parent)
    jump = np.round((radians[parent] - radians) / (2.0 * np.pi))
    turns = np.zeros(mask.shape)
    turns[mask] = _summed_to_root(jump, parent)
    return with_turns(field_hz, turns, period_hz=period_hz, mask=mask)


def _neighbours(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """All pairs of face neighbours inside the mask, as numbers in the order of ``image[mask]``."""
    number = np.full(mask.shape, -1, dtype=np.int32)
    number[mask] = np.arange(np.count_nonzero(mask), dtype=np.int32)
    firsts, seconds = [], []
    for axis in range(3):
        ahead = np.moveaxis(number, axis, 0)[1:]
        behind = np.moveaxis(number, axis, 0)[:-1]
        both = (ahead >= 0) & (behind >= 0)
        firsts.append(behind[both])
        seconds.append(ahead[both])
    return np.concatenate(firsts), np.concatenate(seconds)


def _pair_qualities(
    first: NDArray[np.int32],
    second: NDArray[np.int32],
    mask: NDArray[np.bool_],
    half_period_hz: float,
    magnitude: NDArray[Any] | None,
    noise_sd_hz: NDArray[Any] | None,
    fit_residual: NDArray[Any] | None,
) -> list[NDArray[Any]]:
    """Rate each pair, 0 … 1, by what is known of magnitude, noise and misfit."""
    found = []
    if magnitude is not None:
        m = _finite(magnitude[mask], 0.0)
        smaller, larger = np.minimum(m[first], m[second]), np.maximum(m[first], m[second])
        found.append((smaller / np.where(larger > 0, larger, 1.0)) ** 2)
        bright = max(float(np.quantile(m, 0.98)), float(np.finfo(np.float64).tiny))
        found.append(0.5 + 0.5 * np.minimum(1.0, 2.0 * smaller / bright))
    if noise_sd_hz is not None:
        sd = _finite(noise_sd_hz[mask], 0.0)
        variance = np.where(sd > 0, (sd / half_period_hz) ** 2, np.inf)
        found.append(1.0 / (1.0 + 4.0 * (variance[first] + variance[second])))
    if fit_residual is not None:
        misfit = np.clip(_finite(fit_residual[mask], 1.0), 0.0, 1.0)
        found.append(1.0 - np.maximum(misfit[first], misfit[second]))
    return found


def _finite(values: NDArray[Any], otherwise: float) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, otherwise).astype(np.float64)


def _wrapped(radians: NDArray[Any]) -> NDArray[Any]:
    return radians - 2.0 * np.pi * np.round(radians / (2.0 * np.pi))


def _parents(first: NDArray[np.int32], second: NDArray[np.int32], cost: NDArray[Any], n: int) -> NDArray[np.int32]:
    """For each voxel the next one towards the root of its spanning tree, −1 at the roots."""
    tree = minimum_spanning_tree(coo_array((cost, (first, second)), shape=(n, n)).tocsr()).tocoo()
    _, part = connected_components(tree, directed=False)
    roots = np.unique(part, return_index=True)[1]
    top = n  # a node above all roots makes one tree of the forest
    rows = np.concatenate((tree.row, np.full(roots.size, top))).astype(np.int32)
    columns = np.concatenate((tree.col, roots)).astype(np.int32)
    whole = coo_array((np.ones(rows.size), (rows, columns)), shape=(n + 1, n + 1)).tocsr()
    _, parent = breadth_first_order(whole, top, directed=False)
    return np.where(parent[:n] == top, -1, parent[:n])


def _summed_to_root(values: NDArray[Any], parent: NDArray[Any]) -> NDArray[Any]:
    """Sum of the values from each node up to the root, whose parent is itself and whose value is 0, by doubling."""
    total = values.copy()
    while True:
        above = parent[parent]
        total += total[parent]
        if np.array_equal(above, parent):
            return total
        parent = above
