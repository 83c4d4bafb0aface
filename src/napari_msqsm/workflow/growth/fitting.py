"""Fit a growth model to a table on disk, with all that is reported about it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from napari_msqsm.errors import CancelledError
from napari_msqsm.growth.bootstrap import Bootstrap, parametric, patient_cluster
from napari_msqsm.growth.curves import Curve, curves_of
from napari_msqsm.growth.model import GrowthModel, ModelChoice, fit_growth
from napari_msqsm.growth.peak import Landmark, landmarks_of
from napari_msqsm.growth.reduction import WARNING, Step, reduced
from napari_msqsm.io.tables import read_table

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from napari_msqsm.workflow.tasks import OnProgress

TEXT_COLUMNS = ("patient_id", "lesion_id", "session_id", "rim", "eligible", "qc_flags", "enhancement", "scanner", "sex")


@dataclass(frozen=True, eq=False)
class GrowthResult:
    """A fitted model and what was read off it.

    Parameters
    ----------
    model
        The fit.
    curves
        Group curves and their difference.
    landmarks
        Peak and decay onset of each group, by the delta method.
    bootstraps
        Intervals from samples; empty where none were asked for.
    reduction
        Covariates that were left out one after the other.
    """

    model: GrowthModel
    curves: tuple[Curve, ...]
    landmarks: dict[str, tuple[Landmark, Landmark]]
    bootstraps: tuple[Bootstrap, ...] = field(default=())
    reduction: tuple[Step, ...] = field(default=())

    @property
    def peak(self) -> dict[str, Landmark]:
        """Peak of each group: with the parametric bootstrap's interval where there is one."""
        return self.bootstraps[0].peak if self.bootstraps else {rim: pair[0] for rim, pair in self.landmarks.items()}

    @property
    def decay_onset(self) -> dict[str, Landmark]:
        """Decay onset of each group, likewise."""
        if self.bootstraps:
            return self.bootstraps[0].decay_onset
        return {rim: pair[1] for rim, pair in self.landmarks.items()}


def read_lesions(path: Path) -> pd.DataFrame:
    """Read a lesion table: TSV or CSV, also ``.gz``.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    return read_table(path, text_columns=TEXT_COLUMNS)


def fit_table(
    table: pd.DataFrame,
    choice: ModelChoice,
    *,
    reduce: bool = False,
    bootstrap: int = 0,
    seed: int = 0,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> GrowthResult:
    """Fit a model and read off it what is reported.

    Parameters
    ----------
    table
        From `read_lesions`.
    choice
        What to fit.
    reduce
        Leave out covariates one after the other, see `napari_msqsm.growth.reduction`.
    bootstrap
        Number of samples of each bootstrap (parametric, patients drawn again); 0 for the delta method alone.
    seed
        Of bootstraps and simultaneous bands.
    on_progress, cancel
        See `napari_msqsm.workflow.tasks`.

    Raises
    ------
    InputError, ParameterError
        When it cannot be fitted.
    """

    def report(words: str, fraction: float) -> None:
        if cancel is not None and cancel.is_set():
            raise CancelledError("cancelled")
        if on_progress:
            on_progress(words, fraction)

    report("Mixed model", 0.0)
    if reduce:
        path = reduced(table, choice)
        model, steps = path.model, path.steps
        model = replace(model, warnings=(*model.warnings, *((WARNING,) if steps else ())))
    else:
        model, steps = fit_growth(table, choice), ()
    report("Curves", 0.02)
    curves = curves_of(model, seed=seed)
    landmarks = landmarks_of(model)
    bootstraps: list[Bootstrap] = []
    if bootstrap:
        first, second = (_share(report, start) for start in (0.04, 0.52))
        bootstraps = [
            parametric(model, bootstrap, seed=seed, on_progress=first),
            patient_cluster(model, bootstrap, seed=seed, on_progress=second),
        ]
    report("Done", 1.0)
    return GrowthResult(model, curves, landmarks, tuple(bootstraps), steps)


def _share(report: OnProgress, start: float) -> Callable[[float], None]:
    """Progress of one bootstrap as a share of the whole."""

    def within(done: float) -> None:
        report("Bootstrap", start + 0.48 * done)

    return within
