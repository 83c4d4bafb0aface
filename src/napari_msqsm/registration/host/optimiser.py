r"""Quasi-Newton ascent in the few parameters of a motion.

.. math:: d = H g, \quad H \leftarrow (1 - \rho s y^T) H (1 - \rho y s^T) + \rho s s^T, \quad \rho = 1 / s^T y

(BFGS) with step s in mm and y the change of −g. A step that does not raise the similarity enough is shortened by
quadratic interpolation; where that leads nowhere, H starts anew once: interpolation has kinks. The motion is described
anew after every step, so that turns never leave their small range.

Source: Nocedal J, Wright SJ, Numerical Optimization, 2nd ed., 2006, chapter 6 (doi 10.1007/978-0-387-40065-5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_msqsm.registration.host.motion import Motion

_ENOUGH = 1e-4
"""Part of the promised rise that a step must bring."""
_MOST_TRIALS = 12
_MOST_STALLS = 1
_AFTER_STALL = 10.0
"""Length of the first step after a stall, in tolerances."""


@dataclass(frozen=True, eq=False)
class Ascent:
    """Where an ascent ended.

    Parameters
    ----------
    motion
        The best motion.
    value
        Its similarity.
    iterations, evaluations
        Steps taken, and similarities computed.
    converged
        Whether it ended because the steps that it wanted, or could take twice over, were shorter than the tolerance.
    """

    motion: Motion
    value: float
    iterations: int
    evaluations: int
    converged: bool


def ascend(
    similarity: Callable[[NDArray[Any]], tuple[float, NDArray[Any]]],
    start: Motion,
    *,
    first_step_mm: float,
    tolerance_mm: float,
    max_iter: int,
) -> Ascent:
    """Raise the similarity from a start.

    Parameters
    ----------
    similarity
        From a (4, 4) map its value and (3, 4) derivative by the map; a value of 0 marks a map that cannot be judged.
    start
        Where to begin, and what may change.
    first_step_mm
        Length of the first step, and a third of the longest allowed.
    tolerance_mm
        It has settled when a step is shorter than this.
    max_iter
        Most steps.
    """
    motion = start
    value, by_matrix = similarity(motion.matrix)
    evaluations, stalls = 1, 0
    slope = motion.by_step(by_matrix)
    curvature: NDArray[np.float64] | None = None  # inverse of minus the second derivative, mm² per unit
    trust_mm = first_step_mm
    for iteration in range(max_iter):
        steepness = float(np.linalg.norm(slope))
        if value == 0 or steepness == 0:
            return Ascent(motion, value, iteration, evaluations, value > 0)
        step = slope * (trust_mm / steepness) if curvature is None else curvature @ slope
        wanted_mm = float(np.linalg.norm(step))
        step = step * min(1.0, 3.0 * first_step_mm / max(wanted_mm, 1e-12))
        promised = float(step @ slope)
        for _ in range(_MOST_TRIALS):
            tried = motion.stepped(step)
            new_value, by_matrix = similarity(tried.matrix)
            evaluations += 1
            risen = new_value >= value + _ENOUGH * promised
            if risen or float(np.linalg.norm(step)) < tolerance_mm:
                break
            shorter = 0.5 * promised / max(promised - (new_value - value), 1e-300)
            shorter = min(max(shorter, 0.1), 0.5)
            step, promised = step * shorter, promised * shorter
        length_mm = float(np.linalg.norm(step))
        if risen:
            new_slope = tried.by_step(by_matrix)
            curvature = _updated(curvature, step, slope - new_slope)
            motion, value, slope = tried, new_value, new_slope
            if wanted_mm < tolerance_mm:
                return Ascent(motion, value, iteration + 1, evaluations, True)
        if length_mm >= tolerance_mm:
            stalls = 0
        elif stalls == _MOST_STALLS:
            return Ascent(motion, value, iteration + 1, evaluations, True)
        else:  # at a kink: what was learnt about the curvature misleads
            stalls, curvature, trust_mm = stalls + 1, None, _AFTER_STALL * tolerance_mm
    return Ascent(motion, value, max_iter, evaluations, False)


def _updated(
    curvature: NDArray[np.float64] | None, step: NDArray[Any], change: NDArray[Any]
) -> NDArray[np.float64] | None:
    """BFGS update; left out where the function is not concave along the step."""
    along = float(step @ change)
    if along <= 1e-10 * float(np.linalg.norm(step)) * float(np.linalg.norm(change)):
        return curvature
    if curvature is None:
        curvature = np.eye(len(step)) * (along / float(change @ change))
    left = np.eye(len(step)) - np.outer(step, change) / along
    return np.asarray(left @ curvature @ left.T + np.outer(step, step) / along, dtype=np.float64)
