"""A growth model: which outcome, which time basis, which effects; fitted to the rows of a lesion table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.growth.categories import with_columns
from napari_msqsm.growth.cleaning import NO_RIM, RIM, CleanTable, clean
from napari_msqsm.growth.design import Covariate, Design
from napari_msqsm.growth.identified import unidentified
from napari_msqsm.growth.inference import Inference
from napari_msqsm.growth.mixed_model.fit import fit_mixed_model
from napari_msqsm.growth.mixed_model.groups import Groups
from napari_msqsm.growth.time_basis.methods import TIME_BASES

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from napari_msqsm.growth.inference import DegreesMethod, Estimate
    from napari_msqsm.growth.mixed_model.fit import MixedModelFit

Random = Literal["patient/lesion", "patient", "patient-slope/lesion"]
RANDOM: tuple[Random, ...] = ("patient/lesion", "patient", "patient-slope/lesion")
_RANDOM_IN_R = {
    "patient/lesion": "(1 | patient_id/lesion_id)",
    "patient": "(1 | patient_id)",
    "patient-slope/lesion": "(1 + lesion_age_y | patient_id) + (1 | patient_id:lesion_id)",
}
STEP_Y = 0.5
"""Group means are given at 0, 0.5, 1 … years."""


@dataclass(frozen=True)
class ModelChoice:
    """What is fitted.

    Parameters
    ----------
    outcome
        Column to explain.
    time
        Name of the time basis.
    degree
        Its highest degree or number of columns; capped by the data.
    covariates
        ``edss``, ``dvolume_mm3*rim`` …
    random
        Random effects.
    df
        Degrees of freedom.
    include_ineligible, include_post_gd
        Rows that are left out otherwise.
    rim_at_onset
        Group lesions by their rim at onset instead of at any session: a sensitivity analysis, since *at any session*
        depends on how long a lesion was followed.
    log
        Explain the natural logarithm of the outcome, as is apt for volumes.
    """

    outcome: str = "chi_ppb"
    time: str = "spline"
    degree: int = 8
    covariates: tuple[str, ...] = ("volume_bl_mm3", "edss")
    random: Random = "patient/lesion"
    df: DegreesMethod = "satterthwaite"
    include_ineligible: bool = False
    include_post_gd: bool = False
    rim_at_onset: bool = False
    log: bool = False


@dataclass(frozen=True)
class GroupMean:
    """Fitted mean of a group at an age, or in a bin."""

    rim: str
    age_y: float
    bin: int | None
    estimate: Estimate


@dataclass(frozen=True)
class Difference:
    """Fitted rim+ − rim− at an age, or in a bin."""

    age_y: float
    bin: int | None
    estimate: Estimate


@dataclass(frozen=True, eq=False)
class GrowthModel:
    """A fitted growth model.

    Parameters
    ----------
    choice
        What was asked for.
    table
        Rows that were fitted, and those that were not.
    design
        Fixed effects, before dependent columns were dropped.
    fit, fit_ml
        By REML and by full likelihood.
    inference
        Of the REML fit.
    identified
        Whether the rows tell the variances apart.
    warnings
        What must not be overlooked, one sentence each.
    """

    choice: ModelChoice
    table: CleanTable
    design: Design
    fit: MixedModelFit
    fit_ml: MixedModelFit
    inference: Inference
    identified: bool
    warnings: tuple[str, ...]

    @property
    def formula(self) -> str:
        """The model as lme4 writes it."""
        random = self.random_in_r
        outcome = f"log({self.choice.outcome})" if self.choice.log else self.choice.outcome
        return f"{outcome} ~ {self.design.formula} + {random}"

    @property
    def random_in_r(self) -> str:
        """Random effects as lme4 writes them; without lesions where every patient has one."""
        nested = self.fit.groups.nested
        if nested or self.choice.random == "patient":
            return _RANDOM_IN_R[self.choice.random]
        slope = self.choice.random == "patient-slope/lesion"
        return "(1 + lesion_age_y | patient_id)" if slope else _RANDOM_IN_R["patient"]

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups in the table, rim+ first."""
        there = set(self.table.rows["rim"])
        return tuple(group for group in (RIM, NO_RIM) if group in there)

    @property
    def n_patients(self) -> int:
        """Number of patients."""
        return self.fit.groups.n_patients

    @property
    def n_lesions(self) -> int:
        """Number of lesions."""
        return int(self.table.rows.groupby(["patient_id", "lesion_id"]).ngroups)

    @property
    def largest_age_y(self) -> float:
        """Age of the oldest row."""
        return float(self.table.rows["lesion_age_y"].max())

    def rows_at(self, ages_y: NDArray[np.float64], rim: str) -> NDArray[np.float64]:
        """(m, k) contrasts that are a group's mean at (m,) ages, covariates at their means."""
        names = {name: column for column, name in enumerate(self.design.names)}
        kept = [names[name] for name in self.fit.names]
        return self.design.at(ages_y, rim)[:, kept]

    def means(self) -> tuple[GroupMean, ...]:
        """Fitted means of each group at 0, 0.5 … years up to the largest age, or in each bin."""
        ages, bins = self._points()
        out = []
        for rim in self.groups:
            found = self.inference.estimates(self.rows_at(ages, rim))
            out += [GroupMean(rim, *place, each) for place, each in zip(_places(ages, bins), found, strict=True)]
        return tuple(out)

    def differences(self) -> tuple[Difference, ...]:
        """Rim+ − rim− at the same points; empty where there is one group."""
        if len(self.groups) < 2:
            return ()
        ages, bins = self._points()
        found = self.inference.estimates(self.rows_at(ages, RIM) - self.rows_at(ages, NO_RIM))
        return tuple(Difference(*place, each) for place, each in zip(_places(ages, bins), found, strict=True))

    def _points(self) -> tuple[NDArray[np.float64], list[int] | None]:
        basis = self.design.basis
        ages = self.table.rows["lesion_age_y"].to_numpy(dtype=np.float64)
        if basis.bin_of is None:
            return np.arange(0.0, self.largest_age_y + 1e-9, STEP_Y), None
        number = basis.bin_of(ages)
        bins = sorted({int(each) for each in number})
        return np.array([float(ages[number == each].mean()) for each in bins]), bins


def fit_growth(table: pd.DataFrame, choice: ModelChoice) -> GrowthModel:
    """Fit a growth model to a lesion table.

    Parameters
    ----------
    table
        See `napari_msqsm.growth.cleaning.clean`.
    choice
        What to fit.

    Raises
    ------
    InputError
        When the table cannot be fitted.
    ParameterError
        When a choice does not exist.

    Notes
    -----
    Differs from the paper: it names a random intercept of the patient; here lesions within a patient have one as well
    (``random="patient"`` leaves it out), since scans of one lesion are more alike than scans of two.
    """
    if choice.time not in TIME_BASES:
        raise ParameterError(f"there is no time basis {choice.time!r}; choose from {', '.join(TIME_BASES)}")
    if choice.random not in RANDOM:
        raise ParameterError(f"there are no random effects {choice.random!r}; choose from {', '.join(RANDOM)}")
    if choice.degree < 1:
        raise ParameterError(f"degree must be at least 1, got {choice.degree}")
    covariates = tuple(Covariate.of(text) for text in choice.covariates)
    cleaned = clean(
        table,
        choice.outcome,
        [each.column for each in covariates],
        include_ineligible=choice.include_ineligible,
        include_post_gd=choice.include_post_gd,
        rim_at_onset=choice.rim_at_onset,
    )
    rows, covariates = with_columns(cleaned.rows, covariates)
    cleaned = replace(cleaned, rows=rows)
    ages = rows["lesion_age_y"].to_numpy(dtype=np.float64)
    basis = TIME_BASES[choice.time](ages, choice.degree)
    design = Design.of(rows, basis, covariates)
    warnings = [*cleaned.notes, *basis.notes]
    lesions = rows.groupby(["patient_id", "lesion_id"]).ngroups
    nested = choice.random != "patient"
    if nested and lesions == rows["patient_id"].nunique():
        nested = False
        warnings.append(
            "every patient has one lesion: the effect of the lesion is dropped, that of the patient holds both"
        )
    groups = Groups.of(
        rows["patient_id"].astype(str).to_numpy(),
        rows["lesion_id"].astype(str).to_numpy() if nested else None,
        ages if choice.random == "patient-slope/lesion" else None,
    )
    if groups.n_patients < 2:
        raise InputError("there is one patient; a mixed model needs at least two")
    response = _response(rows, choice)
    fit = fit_mixed_model(response, design.matrix, design.names, groups)
    fit_ml = fit_mixed_model(response, design.matrix, design.names, groups, reml=False, start=fit.theta)
    told = unidentified(fit.design, groups)
    warnings += [*told, *_warnings_of(fit)]
    return GrowthModel(choice, cleaned, design, fit, fit_ml, Inference(fit, choice.df), not told, tuple(warnings))


def _response(rows: pd.DataFrame, choice: ModelChoice) -> NDArray[np.float64]:
    values = rows[choice.outcome].to_numpy(dtype=np.float64)
    if not choice.log:
        return values
    if not np.all(values > 0):
        raise InputError(f"{choice.outcome} has values that are not above 0, such as {values.min():g}: no logarithm")
    return np.asarray(np.log(values), dtype=np.float64)


def _warnings_of(fit: MixedModelFit) -> list[str]:
    out = []
    if fit.dropped:
        out.append(f"dropped, since they depend on other fixed effects: {', '.join(fit.dropped)}")
    if fit.singular:
        out.append("the fit is singular: a variance was estimated as zero (or slope and intercept as fully correlated)")
    if not fit.converged:
        out.append("THE FIT DID NOT CONVERGE; its numbers mean nothing")
    return out


def _places(ages: NDArray[np.float64], bins: list[int] | None) -> list[tuple[float, int | None]]:
    return [(float(age), None if bins is None else bins[index]) for index, age in enumerate(ages)]
