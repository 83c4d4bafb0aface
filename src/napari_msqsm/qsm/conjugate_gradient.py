"""Conjugate gradients for symmetric positive systems."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array


@dataclass(frozen=True)
class LinearSolution:
    """What conjugate gradients found.

    Parameters
    ----------
    x
        The solution, of the right-hand side's shape.
    residuals
        ‖right-hand side − A x‖ / ‖right-hand side‖ before each iteration and after the last.
    converged
        Whether the last of them is within the tolerance.
    """

    x: Array
    residuals: tuple[float, ...]
    converged: bool

    @property
    def iterations(self) -> int:
        """Number of applications of the operator."""
        return len(self.residuals) - 1


def conjugate_gradient(
    apply: Callable[[Array], Array],
    right_hand_side: Array,
    *,
    rtol: float,
    max_iter: int,
    precondition: Callable[[Array], Array] | None = None,
    on_iteration: Callable[[int, float], None] | None = None,
) -> LinearSolution:
    """Solve ``apply(x) = right_hand_side`` from zero.

    Parameters
    ----------
    apply
        Symmetric positive (semi-)definite operator.
    right_hand_side
        Any shape; not modified.
    rtol
        Stop when the residual norm has fallen below ``rtol`` times that of the right-hand side.
    max_iter
        Most applications of the operator.
    precondition
        Symmetric positive approximation of the inverse.
    on_iteration
        Called as ``on_iteration(iterations so far, relative residual)``; may raise to stop.

    Source: Hestenes MR, Stiefel E, J Res Natl Bur Stand 1952;49:409 (doi 10.6028/jres.049.044).
    """
    xp = namespace_of(right_hand_side)
    start = math.sqrt(dot(right_hand_side, right_hand_side))
    x = xp.zeros_like(right_hand_side)
    if start == 0.0:
        return LinearSolution(x, (0.0,), converged=True)
    residual = xp.asarray(right_hand_side, copy=True)
    z = precondition(residual) if precondition else residual
    direction = xp.asarray(z, copy=True)
    rho = dot(residual, z)
    history = [1.0]
    while history[-1] > rtol and len(history) <= max_iter:
        step = apply(direction)
        curvature = dot(direction, step)
        if not curvature > 0.0:  # the rest lies in the null space (or is not finite)
            break
        alpha = rho / curvature
        x += alpha * direction
        residual -= alpha * step
        z = precondition(residual) if precondition else residual
        rho, before = dot(residual, z), rho
        direction *= rho / before
        direction += z
        history.append(math.sqrt(dot(residual, residual)) / start)
        if on_iteration:
            on_iteration(len(history) - 1, history[-1])
    return LinearSolution(x, tuple(history), converged=history[-1] <= rtol)


def dot(a: Array, b: Array) -> float:
    """Inner product by pairwise summation: float32 products keep seven digits over millions of voxels."""
    xp = namespace_of(a, b)
    return float(xp.sum(a * b))
