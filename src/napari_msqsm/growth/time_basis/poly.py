"""Orthogonal polynomial over the ages of the rows, as R's ``poly(age, degree)``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.growth.time_basis.basis import TimeBasis
from napari_msqsm.growth.time_basis.orthogonal import OrthogonalPolynomials

if TYPE_CHECKING:
    from numpy.typing import NDArray


def poly(ages_y: NDArray[np.float64], degree: int) -> TimeBasis:
    """Make the basis.

    Parameters
    ----------
    ages_y
        Ages of all rows; each row counts.
    degree
        Highest degree; capped at the number of different ages less one.
    """
    different = np.unique(ages_y).size
    capped = max(0, min(degree, different - 1))
    notes = [f"degree {degree} was lowered to {capped}: {different} different ages"] if capped < degree else []
    return TimeBasis(
        name="poly",
        degree=capped,
        evaluate=OrthogonalPolynomials.over(np.asarray(ages_y, dtype=np.float64), capped),
        orthogonal=True,
        formula=f"polynomial of degree {capped} in age, orthogonal over the rows",
        knots_y=(),
        notes=tuple(notes),
    )
