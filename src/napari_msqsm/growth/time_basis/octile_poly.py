"""Orthogonal polynomial over age 0 and the octile points of follow-up, evaluated at the exact age."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.growth.time_basis.basis import TimeBasis, octiles_y
from napari_msqsm.growth.time_basis.orthogonal import OrthogonalPolynomials

if TYPE_CHECKING:
    from numpy.typing import NDArray


def octile_poly(ages_y: NDArray[np.float64], degree: int) -> TimeBasis:
    """Make the basis: ``poly(s, degree)`` over ``s = {0, q₁, …, q₈}``, the octiles of the ages above 0.

    Parameters
    ----------
    ages_y
        Ages of all rows.
    degree
        Highest degree; capped by the support points and by the different ages.
    """
    support = np.unique(np.concatenate([[0.0], octiles_y(ages_y)[1:]]))
    capped = max(0, min(degree, support.size - 1, np.unique(ages_y).size - 1))
    polynomials = OrthogonalPolynomials.over(support, capped)
    notes = []
    if capped < degree:
        notes.append(
            f"degree {degree} was lowered to {capped}: {support.size} support points, "
            f"{np.unique(ages_y).size} different ages"
        )
    return TimeBasis(
        name="octile-poly",
        degree=capped,
        evaluate=polynomials,
        orthogonal=True,
        formula=f"polynomial of degree {capped} in age, orthogonal over 0 and the octiles of follow-up age",
        knots_y=tuple(float(value) for value in support),
        notes=tuple(notes),
    )
