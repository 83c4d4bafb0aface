"""How many patients and scans it takes: cohorts are simulated, each is fitted, and tests below 5 % are counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import CancelledError, InputError
from napari_msqsm.growth.group_tests import group_tests
from napari_msqsm.growth.model import ModelChoice, fit_growth
from napari_msqsm.phantom.cohort import CohortDesign, simulated_cohort

if TYPE_CHECKING:
    import threading

    from napari_msqsm.workflow.tasks import OnProgress

_LEVEL = 0.05
_Z = 1.96


@dataclass(frozen=True)
class Power:
    """Power of one design.

    Parameters
    ----------
    design
        The cohorts.
    n_samples
        Cohorts that could be fitted.
    n_failed
        Cohorts that could not: one group only, too few rows.
    power
        Part of the fitted cohorts in which the groups' curves differ (F test of group and time × group, p < 0.05).
    lower, upper
        95 % interval of that part (Wilson).
    """

    design: CohortDesign
    n_samples: int
    n_failed: int
    power: float
    lower: float
    upper: float


def power_of(
    design: CohortDesign,
    choice: ModelChoice | None = None,
    *,
    n_samples: int = 200,
    seed: int = 0,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> Power:
    """Simulate and fit cohorts.

    Parameters
    ----------
    design
        What a cohort is; ``effect=0`` gives the rate of false positives.
    choice
        Model; the default one without covariates when not given.
    n_samples
        Number of cohorts.
    seed
        Of the simulation.
    on_progress, cancel
        See `napari_msqsm.workflow.tasks`.
    """
    rng = np.random.default_rng(seed)
    choice = choice or ModelChoice(covariates=())
    found = failed = 0
    for number in range(n_samples):
        if cancel is not None and cancel.is_set():
            raise CancelledError("cancelled")
        if on_progress:
            on_progress(f"Cohort {number + 1} of {n_samples}", number / n_samples)
        try:
            tests = group_tests(fit_growth(simulated_cohort(design, rng), choice))
        except InputError:
            tests = None
        if tests is None or tests.overall is None:
            failed += 1
            continue
        found += tests.overall.p < _LEVEL
    lower, upper = _wilson(found, n_samples - failed)
    share = found / (n_samples - failed) if failed < n_samples else float("nan")
    return Power(design, n_samples - failed, failed, share, lower, upper)


def _wilson(count: int, n: int) -> tuple[float, float]:
    if n == 0:
        return float("nan"), float("nan")
    share = count / n
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * float(np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)))
    return max(0.0, centre - half), min(1.0, centre + half)
