"""When a group's curve is highest, and when it has fallen from there.

*Peak*: the age at which the fitted curve is highest. *Decay onset*: the first age after the peak at which the 95 %
interval of ``f(t) − f(peak)`` lies below 0. Both depend on the scatter of a few scans: they are always shown with their
interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.growth.curves import ages_of
from napari_msqsm.growth.distributions import t_half_width

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.growth.model import GrowthModel

DELTA = "delta method"
_STEP = 1e-2
"""Size of the steps in β by which slopes are taken, in standard errors."""


@dataclass(frozen=True)
class Landmark:
    """An age that is read off a curve.

    Parameters
    ----------
    age_y
        The age; None where the curve has none (it never falls, say).
    lower, upper
        95 % interval; None where it cannot be told.
    method
        How the interval was made, and why there is none.
    """

    age_y: float | None
    lower: float | None
    upper: float | None
    method: str


class Landmarks:
    """Reads peak and decay onset off the curve of one group, for any coefficients.

    Parameters
    ----------
    model
        The fit.
    rim
        The group.
    """

    def __init__(self, model: GrowthModel, rim: str) -> None:
        self.ages_y = ages_of(model)
        self.binned = model.design.basis.bin_of is not None
        self._rows = model.rows_at(self.ages_y, rim)
        top = int(np.argmax(self._rows @ model.fit.beta))
        df = np.array([each.df for each in model.inference.estimates(self._rows - self._rows[top])])
        self._factor = t_half_width(np.where(df > 0, df, np.inf))

    def read(self, beta: NDArray[np.float64], cov: NDArray[np.float64]) -> tuple[float, float]:
        """Peak and decay onset in years; NaN where the curve does not fall."""
        curve = self._rows @ beta
        top = int(np.argmax(curve))
        fall = self._rows[top:] - self._rows[top]
        se = np.sqrt(np.maximum(np.einsum("mi,ij,mj->m", fall, cov, fall), 0.0))
        upper = curve[top:] - curve[top] + self._factor[top:] * se
        below = np.flatnonzero(upper < 0.0)
        onset = float("nan")
        if below.size:
            first = int(below[0])
            onset = float(self.ages_y[top + first])
            if not self.binned and first:
                share = upper[first - 1] / (upper[first - 1] - upper[first])
                onset -= (1.0 - share) * float(self.ages_y[top + first] - self.ages_y[top + first - 1])
        return self._between(curve, top), onset

    def _between(self, curve: NDArray[np.float64], top: int) -> float:
        """Top of the parabola through the highest point and its neighbours."""
        if self.binned or not 0 < top < curve.size - 1:
            return float(self.ages_y[top])
        left, middle, right = curve[top - 1 : top + 2]
        bend = left - 2.0 * middle + right
        shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
        return float(self.ages_y[top] + shift * (self.ages_y[top] - self.ages_y[top - 1]))


def landmarks_of(model: GrowthModel) -> dict[str, tuple[Landmark, Landmark]]:
    """Peak and decay onset of each group with intervals by the delta method."""
    return {rim: _by_delta(model, Landmarks(model, rim)) for rim in model.groups}


def _by_delta(model: GrowthModel, landmarks: Landmarks) -> tuple[Landmark, Landmark]:
    beta, cov = model.fit.beta, model.inference.cov
    values = landmarks.read(beta, cov)
    if landmarks.binned:
        peak, onset = (_bare(value, f"{DELTA}: none, since bins have no slope") for value in values)
        return peak, onset
    scale, vectors = np.linalg.eigh(cov)
    root = vectors * np.sqrt(np.maximum(scale, 0.0))
    slopes = np.array(
        [
            (np.array(landmarks.read(beta + _STEP * side, cov)) - np.array(landmarks.read(beta - _STEP * side, cov)))
            / (2.0 * _STEP)
            for side in root.T
        ]
    )
    last = float(landmarks.ages_y[-1])
    out = []
    for value, slope in zip(values, slopes.T, strict=True):
        half = float(t_half_width(np.inf) * np.sqrt((slope**2).sum()))
        if np.isnan(value):
            out.append(_bare(value, f"{DELTA}: the curve does not fall significantly within the data"))
        elif not 0.0 < value < last or not np.isfinite(half) or half == 0.0:
            out.append(_bare(value, f"{DELTA}: none, since it lies at an end of the data"))
        else:
            out.append(Landmark(value, max(0.0, value - half), min(last, value + half), DELTA))
    return out[0], out[1]


def _bare(value: float, method: str) -> Landmark:
    return Landmark(None if np.isnan(value) else value, None, None, method)
