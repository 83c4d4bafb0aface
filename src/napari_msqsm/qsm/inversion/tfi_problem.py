"""MEDI's objective with sources outside the mask, and its minimisation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.conjugate_gradient import conjugate_gradient, dot
from napari_msqsm.qsm.robust import mean_inside

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.inversion.medi_problem import MediProblem

_MEAN_DIPOLE_POWER = 4.0 / 45.0
"""Mean of (1/3 − cos²θ)² over all directions."""
_SEEN = 0.1
"""Roughly the part of an outside source's field energy that lies in the mask; only the speed depends on it."""

History = tuple[bool, tuple[float, ...], tuple[int, ...], tuple[float, ...], bool]
"""Converged, changes of χ, linear iterations, objective, last linear system converged: as in `Inversion`."""


@dataclass(frozen=True)
class TotalFieldProblem:
    """Objective of `MediProblem` for the sources of the whole box, plus Σ ``ridge`` · source².

    Parameters
    ----------
    medi
        Data term, edges and CSF.
    inside
        (X, Y, Z) bool; the mask.
    ridge
        (X, Y, Z) ≥ 0; 0 where only the other terms hold.
    sources_outside
        Whether sources outside are unknowns of their own; otherwise the medium goes on there as inside.
    """

    medi: MediProblem
    inside: Array
    ridge: Array
    sources_outside: bool

    def objective(self, sources: Array) -> float:
        """Value of the objective."""
        return self.medi.objective(sources) + dot(self.ridge * sources, sources)

    def linearised(self, sources: Array) -> tuple[Callable[[Array], Array], Array]:
        """Gauss–Newton operator and minus the gradient of the objective."""
        normal, downhill = self.medi.linearised(sources)
        twice = 2.0 * self.ridge
        return lambda x: normal(x) + twice * x, downhill - twice * sources

    def preconditioner(self, sources: Array) -> Callable[[Array], Array]:
        """Approximate inverse of the Gauss–Newton operator: MEDI's filter inside, one factor per voxel outside."""
        xp = namespace_of(sources, self.inside)
        brain = self.medi.preconditioner(sources)
        if not self.sources_outside:
            return brain
        data = 2.0 * self.medi.lambda_data * mean_inside(self.medi.weights**2, self.medi.mask)
        outer = 1.0 / (_SEEN * _MEAN_DIPOLE_POWER * data + 2.0 * self.ridge)

        def precondition(residual: Array) -> Array:
            inner = brain(xp.where(self.inside, residual, xp.zeros_like(residual)))
            return xp.where(self.inside, inner, outer * residual)

        return precondition

    def norm_inside(self, sources: Array) -> float:
        """Norm of χ in the mask."""
        xp = namespace_of(sources)
        chi = xp.where(self.inside, sources, xp.zeros_like(sources))
        return math.sqrt(dot(chi, chi))


def gauss_newton(
    problem: TotalFieldProblem,
    *,
    max_outer: int,
    outer_rtol: float,
    cg_max_iter: int,
    cg_rtol: float,
    merit: bool,
    report: Callable[[float], None],
) -> tuple[Array, History]:
    """Minimise from zero.

    Parameters
    ----------
    problem
        What is minimised.
    max_outer, outer_rtol
        Most steps, and the change of χ relative to its norm at which they end.
    cg_max_iter, cg_rtol
        Limits of each linear system.
    merit
        Lower the weight of outliers between steps.
    report
        Called with the fraction done; may raise to stop.
    """
    xp = namespace_of(problem.inside, problem.medi.field)
    sources = xp.zeros_like(problem.medi.field)
    changes: list[float] = []
    iterations: list[int] = []
    objective = [problem.objective(sources)]
    linear_converged = True
    while len(changes) < max_outer:
        normal, downhill = problem.linearised(sources)
        step = conjugate_gradient(
            normal,
            downhill,
            rtol=cg_rtol,
            max_iter=cg_max_iter,
            precondition=problem.preconditioner(sources),
            on_iteration=_progress(report, len(changes), max_outer, cg_max_iter),
        )
        linear_converged = step.converged
        size, moved = problem.norm_inside(sources), problem.norm_inside(step.x)
        changes.append(moved / size if size > 0 else math.inf if moved > 0 else 0.0)
        iterations.append(step.iterations)
        sources = sources + step.x
        objective.append(problem.objective(sources))
        if changes[-1] < outer_rtol:
            break
        if merit:
            problem.medi.discount_outliers(sources)
    done = changes[-1] < outer_rtol
    return sources, (done, tuple(changes), tuple(iterations), tuple(objective), linear_converged)


def _progress(
    report: Callable[[float], None], outer: int, max_outer: int, cg_max_iter: int
) -> Callable[[int, float], None]:
    """Fraction done: steps so far of the most allowed, and within a step the linear iterations."""
    return lambda iteration, _: report((outer + min(1.0, iteration / cg_max_iter)) / max_outer)
