"""Bins: baseline, and octiles of the follow-up ages; orthogonal polynomial over the number of the bin.

Our reading of "eighth-order orthogonal polynomial on lesion-age octiles" (Zhang S et al., AJNR 2019;40:987, doi
10.3174/ajnr.A6071): of all readings, only this one gives standard errors of the size that the paper prints. With as
many columns as bins less one the model is *saturated*: it is a mean for every group and bin, written in another basis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.growth.time_basis.basis import TimeBasis, octiles_y
from napari_msqsm.growth.time_basis.orthogonal import OrthogonalPolynomials

if TYPE_CHECKING:
    from numpy.typing import NDArray


def octile_bins(ages_y: NDArray[np.float64], degree: int) -> TimeBasis:
    """Make the basis.

    Parameters
    ----------
    ages_y
        Ages of all rows, 0 at the baseline.
    degree
        Highest degree; capped at the number of bins less one.

    Notes
    -----
    Bin 0 is age 0. Bin k holds follow-up ages in ``(q_{k−1}, q_k]``, the first one with its lower end; quantiles that
    are equal are merged. Ages outside the breaks go to the nearest bin.
    """
    breaks = octiles_y(ages_y)
    n_bins = 1 + max(breaks.size - 1, int(breaks.size == 1))
    capped = min(degree, n_bins - 1)
    polynomials = OrthogonalPolynomials.over(np.arange(n_bins, dtype=np.float64), capped)

    def bin_of(at_y: NDArray[np.float64]) -> NDArray[np.intp]:
        at_y = np.asarray(at_y, dtype=np.float64)
        number = np.clip(np.searchsorted(breaks, at_y, side="left"), 1, max(n_bins - 1, 1))
        return np.where(at_y > 0, number, 0).astype(np.intp)

    notes = [f"{n_bins} bins: a mean for every group and bin (saturated)"] if capped == n_bins - 1 else []
    if capped < degree:
        notes.append(f"degree {degree} was lowered to {capped}, since the ages fall into {n_bins} bins")
    return TimeBasis(
        name="octile-bins",
        degree=capped,
        evaluate=lambda at_y: polynomials(bin_of(at_y).astype(np.float64)),
        orthogonal=True,
        formula=f"orthogonal polynomial of degree {capped} over the number of the bin: baseline, then octiles of "
        "follow-up age",
        knots_y=tuple(float(value) for value in breaks),
        bin_of=bin_of,
        notes=tuple(notes),
    )
