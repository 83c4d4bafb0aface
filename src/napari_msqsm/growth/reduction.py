"""Covariates left out one after the other, the least significant first, as papers do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.growth.design import GROUP, Covariate
from napari_msqsm.growth.model import fit_growth

if TYPE_CHECKING:
    import pandas as pd

    from napari_msqsm.growth.model import GrowthModel, ModelChoice

LEVEL = 0.05
WARNING = (
    "covariates were chosen by their p values: p values and intervals of the model that remains are too small, "
    "since they ignore the choice"
)


@dataclass(frozen=True)
class Step:
    """A covariate that was left out, and the p value that it had (F test with its interaction and all its levels)."""

    covariate: str
    p: float


@dataclass(frozen=True, eq=False)
class Reduced:
    """The model that remains, and the way to it."""

    model: GrowthModel
    steps: tuple[Step, ...]


def reduced(table: pd.DataFrame, choice: ModelChoice, *, level: float = LEVEL) -> Reduced:
    """Fit, leave out the covariate with the largest p value above a level, and go on until none is above it.

    Parameters
    ----------
    table, choice
        As in `napari_msqsm.growth.model.fit_growth`. Group, time and their interaction always stay. Rows that lack a
        value of any covariate of the full model stay out to the end, so that all models are of the same rows.
    level
        p value above which a covariate goes.
    """
    model, steps = fit_growth(table, choice), []
    rows, dropped = model.table.rows, model.table.dropped
    while choice.covariates:
        p = {text: _p(model, Covariate.of(text)) for text in choice.covariates}
        worst = max(p, key=lambda text: p[text])
        if not p[worst] > level:
            break
        steps.append(Step(worst, p[worst]))
        choice = replace(choice, covariates=tuple(text for text in choice.covariates if text != worst))
        model = fit_growth(rows, replace(choice, rim_at_onset=False))  # the rows are grouped already
    return Reduced(replace(model, table=replace(model.table, dropped=dropped)), tuple(steps))


def _p(model: GrowthModel, covariate: Covariate) -> float:
    """Test all columns of a covariate together; 1 where none was kept."""
    names = model.fit.names

    def is_of(name: str) -> bool:
        bare = name.removesuffix(f":{GROUP}")
        return bare == covariate.column or bare.startswith(f"{covariate.column}[")

    columns = [column for column, name in enumerate(names) if is_of(name)]
    return model.inference.f_test(np.eye(len(names))[columns]).p if columns else 1.0
