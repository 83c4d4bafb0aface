"""Restricted cubic spline of ``x = log(1 + 4 age)``.

Between 5 knots a cubic, outside them a straight line: ``s₁ = x`` and, for j = 1 … K − 2,

    s_{j+1} = [(x − k_j)₊³ − (x − k_{K−1})₊³ (k_K − k_j) / (k_K − k_{K−1})
               + (x − k_K)₊³ (k_{K−1} − k_j) / (k_K − k_{K−1})] / (k_K − k_1)²

(Harrell FE, Regression Modeling Strategies, 2015, section 2.4.5, doi 10.1007/978-3-319-19425-7). The logarithm gives
the first two years, in which lesions change most, their share of the axis. On small cohorts its intervals at late ages
are many times narrower than those of a polynomial of degree 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.growth.time_basis.basis import TimeBasis

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_KNOTS = 5
_QUANTILES = {
    3: (0.10, 0.5, 0.90),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.5, 0.725, 0.95),
}
"""Harrell's places of the knots, as quantiles."""
_STRETCH_PER_Y = 4.0


def spline(ages_y: NDArray[np.float64], degree: int = N_KNOTS - 1) -> TimeBasis:
    """Make the basis.

    Parameters
    ----------
    ages_y
        Ages of all rows, at least 0.
    degree
        Number of columns wanted, one less than that of knots; at most 4, fewer where the ages do not tell knots apart,
        down to 1: a straight line in x.

    Notes
    -----
    Knots lie at fixed quantiles of x over the rows.
    """
    x = _stretched(np.asarray(ages_y, dtype=np.float64))
    wanted = min(degree, N_KNOTS - 1)
    knots = np.empty(0)
    for n_knots in range(wanted + 1, 2, -1):
        places = np.quantile(x, _QUANTILES[n_knots]) if x.size else np.empty(0)
        if np.unique(places).size == n_knots and _told_apart(x, places):
            knots = places
            break
    columns = max(knots.size - 1, min(1, np.unique(x).size - 1))
    notes = []
    if columns < wanted:
        notes.append(f"{wanted + 1} knots were lowered to {max(knots.size, 2)}, since ages coincide")

    def evaluate(at_y: NDArray[np.float64]) -> NDArray[np.float64]:
        at = _stretched(np.asarray(at_y, dtype=np.float64))
        return _columns(at, knots)[:, :columns]

    return TimeBasis(
        name="spline",
        degree=columns,
        evaluate=evaluate,
        orthogonal=False,
        formula=f"restricted cubic spline of log(1 + 4 age) with {knots.size} knots"
        if knots.size
        else "straight line in log(1 + 4 age)",
        knots_y=tuple(float(value) for value in np.expm1(knots) / _STRETCH_PER_Y),
        notes=tuple(notes),
    )


def _told_apart(x: NDArray[np.float64], knots: NDArray[np.float64]) -> bool:
    """Whether the rows can tell all columns apart."""
    columns = np.column_stack([np.ones(x.size), _columns(x, knots)])
    return bool(np.linalg.matrix_rank(columns, tol=1e-8 * x.size) == columns.shape[1])


def _stretched(ages_y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log1p(_STRETCH_PER_Y * np.maximum(ages_y, 0.0))


def _columns(x: NDArray[np.float64], knots: NDArray[np.float64]) -> NDArray[np.float64]:
    out = [x]
    if knots.size:
        last, before = knots[-1], knots[-2]
        unit = (last - knots[0]) ** 2
        for knot in knots[:-2]:
            bend = _cube(x - knot) - _cube(x - before) * (last - knot) / (last - before)
            out.append((bend + _cube(x - last) * (before - knot) / (last - before)) / unit)
    return np.stack(out, axis=1)


def _cube(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(values, 0.0) ** 3
