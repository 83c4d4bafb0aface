"""From a model of time alone to one with groups: likelihood-ratio tests, AIC and BIC, all by full likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy import special

from napari_msqsm.growth.design import GROUP, INTERCEPT
from napari_msqsm.growth.mixed_model.fit import fit_mixed_model

if TYPE_CHECKING:
    from napari_msqsm.growth.model import GrowthModel


@dataclass(frozen=True)
class Rung:
    """One model of the ladder.

    Parameters
    ----------
    name
        What it adds to the one before.
    n_parameters, loglik, aic, bic
        By full likelihood.
    chi_square, df, p
        Likelihood-ratio test against the one before; None for the first.
    """

    name: str
    n_parameters: int
    loglik: float
    aic: float
    bic: float
    chi_square: float | None = None
    df: int | None = None
    p: float | None = None


def ladder(model: GrowthModel) -> tuple[Rung, ...]:
    """Fit the nested models of a growth model, from the constant to the whole.

    The p value of a likelihood-ratio test is too small on few patients: prefer the F tests for a decision.
    """
    names = model.design.names
    time = set(model.design.basis.names)
    crossed = {f"{name}:{GROUP}" for name in time}
    covariates = {name for name in names if name not in {INTERCEPT, GROUP} | time | crossed}
    steps = [("constant", {INTERCEPT}), ("+ covariates", covariates), ("+ time", time)]
    if model.design.two_groups:
        steps += [("+ group", {GROUP}), ("+ time × group", crossed)]
    here: set[str] = set()
    rungs: list[Rung] = []
    for word, more in steps:
        if not more:
            continue
        here |= more
        columns = [column for column, name in enumerate(names) if name in here]
        fit = fit_mixed_model(
            model.fit.response,
            model.design.matrix[:, columns],
            [names[column] for column in columns],
            model.fit.groups,
            reml=False,
            start=model.fit.theta if model.fit.layout.squares else None,
        )
        below = rungs[-1] if rungs else None
        df = None if below is None else fit.n_parameters - below.n_parameters
        chi = None if below is None else max(0.0, 2.0 * (fit.loglik - below.loglik))
        p = None if chi is None or not df else float(special.chdtrc(df, chi))
        rungs.append(Rung(word, fit.n_parameters, fit.loglik, fit.aic, fit.bic, chi, df, p))
    return tuple(rungs)
