"""The minimum of the profiled deviance, on the boundary as well.

Where every entry of θ is a standard deviation of its own, the *squares* are optimised: at θ = 0 the slope after θ
always vanishes, so that an optimiser which comes there stays, minimum or not; the slope after θ² tells. With a random
slope the entries of Λ are optimised, from several starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import optimize

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_msqsm.growth.mixed_model.deviance import Deviance
    from napari_msqsm.growth.mixed_model.variances import Layout

    Objective = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]

_NEWTON_STEPS = 8
_DECREMENT = 1e-9
"""A Newton step that promised less than this of the deviance was the last one: the next would promise its square."""
_FLAT = 1e-5
"""Largest slope after an entry of θ that is still called a minimum, relative to the number of observations."""
_SMALLEST = 1e-12
_NEAR_ZERO = 1e-3
_SAME = 1e-10
_STEP = 1e-4


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where the deviance is least.

    Parameters
    ----------
    theta
        Relative standard deviations.
    value
        Deviance there.
    converged
        Whether the slopes vanish (or point outwards on the boundary).
    n_evaluations
        How often the deviance was computed.
    """

    theta: NDArray[np.float64]
    value: float
    converged: bool
    n_evaluations: int


def minimise(deviance: Deviance, layout: Layout, start: NDArray[np.float64] | None = None) -> Minimum:
    """Find the minimum.

    Parameters
    ----------
    deviance, layout
        What is minimised, and the meaning of its variables.
    start
        First guess; several of our own when not given and one is not enough.
    """
    counted = _Counted(deviance)
    starts = [layout.start()] if start is None else [start]
    if start is None and not layout.squares:
        starts += [0.2 * layout.start(), np.where(layout.bounded, layout.start(), 0.3)]
    ends = [_from(counted, layout, first) for first in starts]
    theta = min(ends, key=lambda end: counted(end)[0])
    theta = _settled(counted, layout, theta)
    value, slopes = counted(theta)
    flat = np.abs(slopes) <= _FLAT * max(1.0, abs(value))
    outward = layout.bounded & (theta == 0)
    if layout.squares:
        outward &= _square_slopes(counted, theta) >= -_FLAT * max(1.0, abs(value))
    return Minimum(theta, value, bool(np.all(flat | outward)), counted.n)


class _Counted:
    def __init__(self, deviance: Deviance) -> None:
        self._deviance, self.n = deviance, 0
        self._last: tuple[bytes, tuple[float, NDArray[np.float64]]] | None = None

    def __call__(self, theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        key = theta.tobytes()
        if self._last is None or self._last[0] != key:
            self.n += 1
            self._last = key, self._deviance.profiled(theta)
        return self._last[1]


def _from(objective: Objective, layout: Layout, start: NDArray[np.float64]) -> NDArray[np.float64]:
    if not layout.squares:
        return _bounded(objective, start, layout.bounded)

    def of_squares(squares: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        theta = np.maximum(np.sqrt(np.maximum(squares, 0.0)), _SMALLEST)
        value, slopes = objective(theta)
        return value, slopes / (2.0 * theta)

    return np.sqrt(np.maximum(_bounded(of_squares, start**2, layout.bounded), 0.0))


def _bounded(objective: Objective, start: NDArray[np.float64], bounded: NDArray[np.bool_]) -> NDArray[np.float64]:
    """L-BFGS-B with zero as the lower bound of some variables."""
    bounds = optimize.Bounds(np.where(bounded, 0.0, -np.inf), np.full(start.size, np.inf))
    minimize: Any = optimize.minimize
    options = {"ftol": 1e-11, "gtol": 1e-7, "maxiter": 500}
    end = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(end.x, dtype=np.float64)


def _settled(objective: Objective, layout: Layout, theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Newton steps on the entries that are free, then entries that are as good at zero."""
    for _ in range(_NEWTON_STEPS):
        free = ~layout.bounded | (theta > 10 * _STEP)
        value, slopes = objective(theta)
        if not free.any():
            break
        hessian = hessian_of(lambda at: objective(at)[1], theta, fourth_order=False)[np.ix_(free, free)]
        try:
            step = np.linalg.solve(hessian, slopes[free])
        except np.linalg.LinAlgError:
            break
        moved = theta.copy()
        moved[free] -= step
        moved = np.where(layout.bounded, np.maximum(moved, 0.0), moved)
        if not np.all(np.isfinite(moved)) or objective(moved)[0] > value + _SAME:
            break
        theta = moved
        if abs(float(slopes[free] @ step)) < _DECREMENT:
            break
    for entry in np.flatnonzero(layout.bounded & (theta > 0) & (theta < _NEAR_ZERO)):
        at_zero = theta.copy()
        at_zero[entry] = 0.0
        if objective(at_zero)[0] <= objective(theta)[0] + _SAME:
            theta = at_zero
    return theta


def hessian_of(
    gradient: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    at: NDArray[np.float64],
    *,
    fourth_order: bool = True,
) -> NDArray[np.float64]:
    """Hessian from exact slopes, by central differences of fourth or second order."""
    rows = []
    for entry in range(at.size):
        step = np.zeros(at.size)
        step[entry] = _STEP * max(1.0, abs(float(at[entry])))
        near = gradient(at + step) - gradient(at - step)
        if not fourth_order:
            rows.append(near / (2.0 * step[entry]))
            continue
        far = gradient(at + 2 * step) - gradient(at - 2 * step)
        rows.append((8.0 * near - far) / (12.0 * step[entry]))
    hessian = np.array(rows)
    return np.asarray((hessian + hessian.T) / 2.0)


def _square_slopes(objective: Objective, theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slopes after θ², also where θ is zero."""
    lifted = np.maximum(theta, 1e-7)
    return np.asarray(objective(lifted)[1] / (2.0 * lifted))
