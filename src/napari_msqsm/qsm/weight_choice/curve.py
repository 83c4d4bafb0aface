"""Misfit and variation along a ladder of weights."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Curve:
    """What each weight makes of the data, from the smoothest map to the one nearest to the data.

    Parameters
    ----------
    weights
        In a geometric sequence.
    misfits
        Root mean square of the residual field over its noise.
    variations
        Mean absolute difference of neighbours, ppm/mm.
    """

    weights: tuple[float, ...]
    misfits: tuple[float, ...]
    variations: tuple[float, ...]

    def weight_at(self, place: float) -> float:
        """Weight between two of the ladder; ``place`` counts from 0."""
        low = min(int(place), len(self.weights) - 2)
        step = math.log(self.weights[low + 1] / self.weights[low])
        return self.weights[low] * math.exp((place - low) * step)

    def curvature(self) -> tuple[float, ...]:
        r"""Curvature in the plane of log misfit x and log variation y at all places but the two ends.

        .. math:: \kappa = \frac{x' y'' - y' x''}{(x'^2 + y'^2)^{3/2}}

        with central differences along the ladder; positive where y is concave in x.
        """
        x, y = _logs(self.misfits), _logs(self.variations)
        out = []
        for i in range(1, len(x) - 1):
            dx, dy = 0.5 * (x[i + 1] - x[i - 1]), 0.5 * (y[i + 1] - y[i - 1])
            ddx, ddy = x[i + 1] - 2.0 * x[i] + x[i - 1], y[i + 1] - 2.0 * y[i] + y[i - 1]
            length = math.hypot(dx, dy)
            out.append((dx * ddy - dy * ddx) / length**3 if length > 0 else 0.0)
        return tuple(out)


@dataclass(frozen=True)
class Choice:
    """A place on the curve.

    Parameters
    ----------
    place
        Place on the ladder, between 0 and its length less one; ``None`` where the curve says nothing.
    warnings
        What the user should know about it.
    """

    place: float | None
    warnings: tuple[str, ...] = ()


def _logs(values: tuple[float, ...]) -> list[float]:
    return [math.log(max(value, 1e-30)) for value in values]
