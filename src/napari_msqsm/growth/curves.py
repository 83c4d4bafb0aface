"""Fitted curves over age: group means and their difference with pointwise and simultaneous bands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.growth.cleaning import NO_RIM, RIM
from napari_msqsm.growth.distributions import LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.growth.model import GrowthModel

DIFFERENCE = "rim+ − rim-"
_POINTS = 241
_DRAWS = 10_000


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve.

    Parameters
    ----------
    name
        ``rim+``, ``rim-`` or their difference.
    age_y
        (m,) ages; in bins, the mean age of each.
    mean, se
        (m,) fitted values and standard errors.
    lower, upper
        (m,) pointwise 95 % interval.
    band_lower, band_upper
        (m,) simultaneous 95 % band: the whole curve lies in it with this probability.
    """

    name: str
    age_y: NDArray[np.float64]
    mean: NDArray[np.float64]
    se: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    band_lower: NDArray[np.float64]
    band_upper: NDArray[np.float64]


def curves_of(model: GrowthModel, *, seed: int = 0) -> tuple[Curve, ...]:
    """Curves of a model: each group, and their difference where there are two.

    Parameters
    ----------
    model
        The fit.
    seed
        Of the draws behind the simultaneous bands.
    """
    ages = ages_of(model)
    rows = {rim: model.rows_at(ages, rim) for rim in model.groups}
    if len(rows) == 2:
        rows[DIFFERENCE] = rows[RIM] - rows[NO_RIM]
    return tuple(_curve(model, name, ages, contrasts, seed) for name, contrasts in rows.items())


def ages_of(model: GrowthModel) -> NDArray[np.float64]:
    """Ages at which a curve is drawn: a fine line up to the oldest row, or one point for each bin."""
    basis = model.design.basis
    if basis.bin_of is None:
        return np.linspace(0.0, model.largest_age_y, _POINTS)
    ages = model.table.rows["lesion_age_y"].to_numpy(dtype=np.float64)
    number = basis.bin_of(ages)
    return np.array([float(ages[number == each].mean()) for each in np.unique(number)])


def _curve(
    model: GrowthModel, name: str, ages: NDArray[np.float64], contrasts: NDArray[np.float64], seed: int
) -> Curve:
    found = model.inference.estimates(contrasts)
    mean, se, lower, upper, df = (
        np.array([getattr(each, field) for each in found]) for field in ("estimate", "se", "lower", "upper", "df")
    )
    wide = _simultaneous(model.inference.cov, contrasts, se, float(np.median(df)), seed) * se
    return Curve(name, ages, mean, se, lower, upper, mean - wide, mean + wide)


def _simultaneous(
    cov: NDArray[np.float64], contrasts: NDArray[np.float64], se: NDArray[np.float64], df: float, seed: int
) -> float:
    """Factor on the standard error so that the largest deviation along the curve stays inside (sup-t band).

    Draws of β from its normal distribution, divided by a common χ draw with the median degrees of freedom of the curve.
    """
    rng = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(cov)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    draws = rng.standard_normal((_DRAWS, cov.shape[0])) @ (contrasts @ root).T
    largest = np.max(np.abs(draws) / np.where(se > 0, se, np.inf), axis=1)
    if np.isfinite(df):
        largest = largest / np.sqrt(rng.chisquare(df, _DRAWS) / df)
    return float(np.quantile(largest, LEVEL))
