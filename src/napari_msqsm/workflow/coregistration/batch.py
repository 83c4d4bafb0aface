"""Coregistration of many patients, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.workflow.coregistration.patient import coregister_patient

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from napari_msqsm.model.study import Study
    from napari_msqsm.workflow.coregistration.outcome import CoregistrationOutcome
    from napari_msqsm.workflow.coregistration.settings import CoregistrationSettings
    from napari_msqsm.workflow.tasks import OnProgress


def coregister_patients(
    study: Study,
    patients: Sequence[str],
    settings: CoregistrationSettings,
    *,
    device: str = "auto",
    seed: int = 0,
    out_dir: Path | None = None,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> tuple[CoregistrationOutcome, ...]:
    """Align all images of patients; what still holds from an earlier run is left alone.

    Parameters
    ----------
    study
        From `napari_msqsm.io.bids.open_study`.
    patients
        Identifiers, with or without ``sub-``.
    settings, device, seed, out_dir, on_progress, cancel, on_warning
        See `napari_msqsm.workflow.coregistration.patient.coregister_patient`.
    """
    outcomes = []
    for index, patient in enumerate(patients):

        def report(message: str, fraction: float, index: int = index) -> None:
            if on_progress:
                on_progress(message, (index + fraction) / len(patients))

        outcomes.append(
            coregister_patient(
                study,
                patient,
                settings,
                pictures=True,
                device=device,
                seed=seed,
                out_dir=out_dir,
                on_progress=report,
                cancel=cancel,
                on_warning=on_warning,
            )
        )
    return tuple(outcomes)
