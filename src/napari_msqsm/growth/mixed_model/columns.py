"""Fixed-effect columns that depend on those to their left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE = 1e-7
"""As in R's ``qr``: a column is dropped when less than this part of its length is new."""


def independent_columns(
    design: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Keep columns from left to right; drop each that is a linear combination of those kept.

    Parameters
    ----------
    design
        (n, p).

    Returns
    -------
    kept, q, r
        Indices of the k columns kept; (n, k) orthonormal basis of them and (k, k) upper triangle with
        ``design[:, kept] = q @ r``.
    """
    n, p = design.shape
    basis = np.empty((n, min(n, p)))
    kept: list[int] = []
    for column in range(p):
        k = len(kept)
        vector = design[:, column].astype(np.float64)
        length = float(np.linalg.norm(vector))
        if length == 0.0 or k == n:
            continue
        rest = vector / length
        for _ in range(2):  # twice is enough: the second pass removes what rounding left
            rest = rest - basis[:, :k] @ (basis[:, :k].T @ rest)
        new = float(np.linalg.norm(rest))
        if new > TOLERANCE:
            basis[:, k] = rest / new
            kept.append(column)
    q = basis[:, : len(kept)].copy()
    return np.array(kept, dtype=np.intp), q, np.triu(q.T @ design[:, kept])
