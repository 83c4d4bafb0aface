"""Bootstrap intervals of peak and decay onset: new responses from the fitted model, or patients drawn again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import InputError
from napari_msqsm.growth.mixed_model.fit import MixedModelFit, fit_mixed_model
from napari_msqsm.growth.mixed_model.groups import Groups
from napari_msqsm.growth.peak import Landmark, Landmarks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_msqsm.growth.model import GrowthModel

_LEAST_SHARE = 0.9
"""Of the samples that must have a value for an interval to be given."""


@dataclass(frozen=True)
class Bootstrap:
    """Intervals from samples.

    Parameters
    ----------
    method
        ``parametric`` or ``patient-cluster``.
    n_samples
        Samples that could be fitted.
    n_failed
        Samples that could not.
    peak, decay_onset
        By group.
    """

    method: str
    n_samples: int
    n_failed: int
    peak: dict[str, Landmark]
    decay_onset: dict[str, Landmark]


def parametric(
    model: GrowthModel, n_samples: int, *, seed: int = 0, on_progress: Callable[[float], None] | None = None
) -> Bootstrap:
    """Draw responses from the fitted model, fit each, and take the 2.5 % and 97.5 % quantiles.

    Parameters
    ----------
    model
        The fit.
    n_samples
        Number of samples.
    seed
        Of the draws.
    on_progress
        Called with the fraction done; may raise to stop.
    """
    fit, rng = model.fit, np.random.default_rng(seed)
    groups = fit.groups
    lesion = np.sqrt(fit.lesion_variance)
    factor = fit.layout.factor(fit.theta) * fit.sigma
    fixed = fit.design @ fit.beta

    def sample() -> MixedModelFit:
        patient = rng.standard_normal((groups.n_patients, factor.shape[0])) @ factor.T
        response = fixed + np.einsum("nq,nq->n", groups.effects, patient[groups.patient_of_row])
        response = response + lesion * rng.standard_normal(groups.n_lesions)[groups.lesion_of_row]
        response = response + fit.sigma * rng.standard_normal(fit.n_rows)
        return fit_mixed_model(response, fit.design, fit.names, groups, start=fit.theta)

    return _collected(model, "parametric", n_samples, sample, on_progress)


def patient_cluster(
    model: GrowthModel, n_samples: int, *, seed: int = 0, on_progress: Callable[[float], None] | None = None
) -> Bootstrap:
    """Draw patients with replacement, fit their rows, and take the quantiles; parameters as in `parametric`."""
    fit, rng = model.fit, np.random.default_rng(seed)
    groups = fit.groups
    rows_of = [np.flatnonzero(groups.patient_of_row == patient) for patient in range(groups.n_patients)]
    slope = groups.effects[:, 1] if groups.effects.shape[1] > 1 else None

    def sample() -> MixedModelFit:
        drawn = rng.integers(groups.n_patients, size=groups.n_patients)
        rows = np.concatenate([rows_of[patient] for patient in drawn])
        patients = np.repeat(np.arange(drawn.size), [rows_of[patient].size for patient in drawn])
        again = Groups.of(
            patients,
            groups.lesion_of_row[rows] if groups.nested else None,
            None if slope is None else slope[rows],
        )
        return fit_mixed_model(fit.response[rows], fit.design[rows], fit.names, again, start=fit.theta)

    return _collected(model, "patient-cluster", n_samples, sample, on_progress)


def _collected(
    model: GrowthModel,
    method: str,
    n_samples: int,
    sample: Callable[[], MixedModelFit],
    on_progress: Callable[[float], None] | None,
) -> Bootstrap:
    readers = {rim: Landmarks(model, rim) for rim in model.groups}
    found: dict[str, list[tuple[float, float]]] = {rim: [] for rim in readers}
    failed = 0
    for number in range(n_samples):
        if on_progress:
            on_progress(number / n_samples)
        try:
            fit = sample()
        except InputError:
            failed += 1
            continue
        if fit.names != model.fit.names or not fit.converged:
            failed += 1
            continue
        for rim, reader in readers.items():
            found[rim].append(reader.read(fit.beta, fit.cov))
    here = {rim: reader.read(model.fit.beta, model.inference.cov) for rim, reader in readers.items()}
    peak, onset = (
        {
            rim: _interval(here[rim][which], np.array([pair[which] for pair in pairs]), method, n_samples)
            for rim, pairs in found.items()
        }
        for which in (0, 1)
    )
    return Bootstrap(method, n_samples - failed, failed, peak, onset)


def _interval(value: float, samples: NDArray[np.float64], method: str, n_samples: int) -> Landmark:
    there = samples[np.isfinite(samples)]
    age = None if np.isnan(value) else value
    words = f"{method} bootstrap, {n_samples} samples"
    if there.size < _LEAST_SHARE * n_samples:
        return Landmark(age, None, None, f"{words}: only {there.size} of them have one")
    lower, upper = np.quantile(there, [0.025, 0.975])
    return Landmark(age, float(lower), float(upper), words)
