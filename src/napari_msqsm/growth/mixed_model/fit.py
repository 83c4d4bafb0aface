"""Fit a mixed model by restricted and by full maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

from napari_msqsm.errors import InputError, ShapeMismatchError
from napari_msqsm.growth.mixed_model.columns import independent_columns
from napari_msqsm.growth.mixed_model.deviance import Deviance, Solved, solve
from napari_msqsm.growth.mixed_model.moments import Sums
from napari_msqsm.growth.mixed_model.optimise import Minimum, minimise
from napari_msqsm.growth.mixed_model.variances import Layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_msqsm.growth.mixed_model.groups import Groups

SINGULAR = 1e-4
"""A relative standard deviation below this is zero (lme4's ``isSingular``)."""


@dataclass(frozen=True, eq=False)
class MixedModelFit:
    """A fitted model.

    Parameters
    ----------
    names
        Fixed effects that were kept, in order.
    dropped
        Those that depend on fixed effects to their left.
    beta, cov
        (k,) estimates and (k, k) their covariance, in the unit of the response.
    sigma
        Residual standard deviation.
    theta
        Relative standard deviations, see `Layout`.
    loglik
        Log-likelihood: restricted where ``reml``.
    reml
        How it was fitted.
    converged, singular
        Whether the minimum was reached; whether a variance is zero (or a slope fully correlated).
    layout, groups, basis, design
        Meaning of θ, sorted rows, (k, k) triangle R of ``X = Q R``, (n, k) columns that were kept.
    response
        (n,).
    n_evaluations
        How often the deviance was computed.
    scale
        Unit in which it was computed: the response was divided by it.
    """

    names: tuple[str, ...]
    dropped: tuple[str, ...]
    beta: NDArray[np.float64]
    cov: NDArray[np.float64]
    sigma: float
    theta: NDArray[np.float64]
    loglik: float
    reml: bool
    converged: bool
    singular: bool
    layout: Layout
    groups: Groups
    basis: NDArray[np.float64]
    design: NDArray[np.float64]
    response: NDArray[np.float64]
    n_evaluations: int
    scale: float

    @property
    def n_rows(self) -> int:
        """Number of observations."""
        return self.response.size

    @property
    def n_parameters(self) -> int:
        """Fixed effects, variances and covariances."""
        return len(self.names) + self.layout.size + 1

    @property
    def aic(self) -> float:
        """Akaike's criterion of this likelihood."""
        return 2.0 * self.n_parameters - 2.0 * self.loglik

    @property
    def bic(self) -> float:
        """Schwarz's criterion of this likelihood."""
        return float(np.log(self.n_rows)) * self.n_parameters - 2.0 * self.loglik

    @property
    def se(self) -> NDArray[np.float64]:
        """Standard errors of the fixed effects."""
        return np.sqrt(np.diag(self.cov))

    @property
    def lesion_variance(self) -> float:
        """Variance of the lesions within a patient."""
        return (self.layout.lesion(self.theta) * self.sigma) ** 2

    @property
    def patient_covariance(self) -> NDArray[np.float64]:
        """(q, q) covariance of the patient's intercept (and slope)."""
        factor = self.layout.factor(self.theta) * self.sigma
        return factor @ factor.T

    def deviance(self) -> Deviance:
        """Deviance in the scaled unit, as it was minimised."""
        return _problem(self.design, self.basis, self.response / self.scale, self.groups, reml=self.reml)


def fit_mixed_model(
    response: NDArray[np.float64],
    design: NDArray[np.float64],
    names: Sequence[str],
    groups: Groups,
    *,
    reml: bool = True,
    start: NDArray[np.float64] | None = None,
) -> MixedModelFit:
    """Fit the model.

    Parameters
    ----------
    response
        (n,) in any unit; it is scaled to its standard deviation inside, so that the unit does not matter.
    design
        (n, p) fixed effects; columns that depend on those to their left are dropped, and named.
    names
        Of the columns.
    groups
        Rows sorted into lesions and patients.
    reml
        Restricted likelihood (for estimates), or full likelihood (to compare fixed effects).
    start
        First guess of θ, such as that of a similar fit.

    Raises
    ------
    InputError
        When there are not more rows than fixed effects, a value is missing, or the response does not vary.
    ShapeMismatchError
        When lengths differ.
    """
    n = response.size
    if design.shape != (n, len(names)) or groups.patient_of_row.size != n:
        raise ShapeMismatchError(
            f"{n} responses, design {design.shape}, {len(names)} names, groups of {groups.patient_of_row.size} rows"
        )
    if not (np.all(np.isfinite(response)) and np.all(np.isfinite(design))):
        raise InputError("a value is missing or infinite; drop such rows first")
    kept, q, r = independent_columns(design)
    if n <= kept.size:
        raise InputError(
            f"{n} rows cannot tell {kept.size} fixed effects; take a simpler time basis or fewer covariates"
        )
    scale = float(np.std(response))
    if not scale > 0.0:
        raise InputError("the response is the same in every row; there is nothing to fit")
    rest = response - q @ (q.T @ response)
    if float(np.linalg.norm(rest)) <= 1e-10 * float(np.linalg.norm(response)):
        raise InputError("the fixed effects explain every row exactly; there is no residual to fit")
    deviance = _problem(design[:, kept], r, response / scale, groups, reml=reml)
    layout = Layout.of(groups)
    found = minimise(deviance, layout, start)
    return _fit(response, design[:, kept], names, kept, r, groups, layout, deviance, found, scale)


def _problem(
    design: NDArray[np.float64],
    basis: NDArray[np.float64],
    response: NDArray[np.float64],
    groups: Groups,
    *,
    reml: bool,
) -> Deviance:
    q = linalg.solve_triangular(basis.T, design.T, lower=True).T
    log_det = float(np.log(np.abs(np.diag(basis))).sum())
    return Deviance(Sums(np.column_stack([q, response]), groups), response.size, Layout.of(groups), log_det, reml=reml)


def _fit(
    response: NDArray[np.float64],
    design: NDArray[np.float64],
    names: Sequence[str],
    kept: NDArray[np.intp],
    basis: NDArray[np.float64],
    groups: Groups,
    layout: Layout,
    deviance: Deviance,
    found: Minimum,
    scale: float,
) -> MixedModelFit:
    solved: Solved = solve(deviance.moments(found.theta))
    degrees = deviance.degrees(kept.size)
    sigma = float(np.sqrt(solved.rss / degrees)) * scale
    back = linalg.solve_triangular(basis, np.eye(kept.size))
    dropped = tuple(name for column, name in enumerate(names) if column not in set(kept.tolist()))
    return MixedModelFit(
        names=tuple(names[int(column)] for column in kept),
        dropped=dropped,
        beta=scale * (back @ solved.beta),
        cov=sigma**2 * (back @ solved.cov @ back.T),
        sigma=sigma,
        theta=found.theta,
        loglik=-0.5 * found.value - degrees * float(np.log(scale)),
        reml=deviance.reml,
        converged=found.converged,
        singular=bool(np.any(found.theta[layout.bounded] < SINGULAR)),
        layout=layout,
        groups=groups,
        basis=basis,
        design=design,
        response=response,
        n_evaluations=found.n_evaluations,
        scale=scale,
    )
