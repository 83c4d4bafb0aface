"""Align every image of a patient to the gradient echo of the baseline.

What other code calls: `pairs_of`, `state_of`, `load_pair`, `coregister_patient`, `coregister_pair`, `accept`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from napari_msqsm.errors import CancelledError, GpuUnavailableError
from napari_msqsm.workflow.coregister_images import load_pair
from napari_msqsm.workflow.coregister_maps import renew_maps
from napari_msqsm.workflow.coregister_outcome import CoregistrationOutcome, PairResult
from napari_msqsm.workflow.coregister_pair import accept, coregister_pair
from napari_msqsm.workflow.coregister_pairs import GRE, Pair, baseline_of, pairs_of, patient_of
from napari_msqsm.workflow.coregister_settings import CoregistrationSettings
from napari_msqsm.workflow.coregister_state import PairState, state_of
from napari_msqsm.workflow.coregister_work import PatientImages
from napari_msqsm.workflow.tasks import error_sentence

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Collection
    from pathlib import Path

    from napari_msqsm.model.study import Patient, Study
    from napari_msqsm.workflow.tasks import OnProgress

    OnWarning = Callable[[str], None]

__all__ = [
    "GRE",
    "CoregistrationOutcome",
    "CoregistrationSettings",
    "Pair",
    "PairResult",
    "PairState",
    "accept",
    "baseline_of",
    "coregister_pair",
    "coregister_patient",
    "load_pair",
    "pairs_of",
    "state_of",
]


def coregister_patient(
    study: Study,
    patient: Patient | str,
    settings: CoregistrationSettings | None = None,
    *,
    pairs: Collection[Pair] | None = None,
    only_missing: bool = True,
    device: str = "auto",
    seed: int = 0,
    out_dir: Path | None = None,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    on_warning: OnWarning | None = None,
) -> CoregistrationOutcome:
    """Align all images of a patient to the baseline, and carry the susceptibility maps of follow-ups along.

    Parameters
    ----------
    study, patient
        From `napari_msqsm.io.bids.open_study`; a patient also by identifier.
    settings
        `CoregistrationSettings`.
    pairs
        Those to align; all of the patient when not given.
    only_missing
        Leave alone what still belongs to its files, settings and algorithm; otherwise all of it is done again.
        Transforms that a person accepted are left alone in any case.
    device
        ``auto``, ``cpu`` or ``cuda``.
    seed
        Of the points at which the images are compared.
    out_dir
        Root of the derivatives; ``derivatives/msqsm`` of the study when not given.
    on_progress, cancel
        See `napari_msqsm.workflow.tasks`.
    on_warning
        Called with what must not be overlooked as soon as it is known.

    Raises
    ------
    CancelledError, GpuUnavailableError
        What would stop every other pair too; an image that cannot be read is told in the outcome.
    """
    person, settings = patient_of(study, patient), settings or CoregistrationSettings()
    baseline = baseline_of(person)
    warnings: list[str] = []

    def say(sentence: str) -> None:
        warnings.append(sentence)
        if on_warning:
            on_warning(sentence)

    if baseline is None:
        say(f"sub-{person.patient_id}: nothing was aligned, since no session has a gradient echo that can be read")
        return CoregistrationOutcome(person.patient_id, "", warnings=tuple(warnings))
    wanted = pairs_of(study, person, out_dir=out_dir) if pairs is None else tuple(pairs)
    images = PatientImages(study, device=device, out_dir=out_dir)
    results = []
    for index, pair in enumerate(wanted):

        def report(message: str, fraction: float, index: int = index, name: str = pair.name) -> None:
            if cancel is not None and cancel.is_set():
                raise CancelledError("cancelled")
            if on_progress:
                on_progress(f"{name}: {message}", (index + fraction) / (len(wanted) + 1))

        report("aligning", 0.0)
        result = _one(study, pair, settings, images, only_missing, seed, out_dir, report, cancel)
        for sentence in _warnings_of(result):
            say(sentence)
        results.append(result)
    files = renew_maps(study, person, settings, out_dir=out_dir)
    if on_progress:
        on_progress("Done", 1.0)
    return CoregistrationOutcome(person.patient_id, baseline.label, tuple(results), files, tuple(warnings))


def _one(
    study: Study,
    pair: Pair,
    settings: CoregistrationSettings,
    images: PatientImages,
    only_missing: bool,
    seed: int,
    out_dir: Path | None,
    report: OnProgress,
    cancel: threading.Event | None,
) -> PairResult:
    """Align a pair unless what is there holds; an image that cannot be used does not stop the others."""
    state = state_of(study, pair, settings, seed=seed, out_dir=out_dir)
    if state.by_hand or (only_missing and state.status == "done"):
        return PairResult(pair, state, ran=False)
    began = time.perf_counter()
    try:
        state = coregister_pair(
            study,
            pair,
            settings,
            seed=seed,
            out_dir=out_dir,
            images=images,
            on_progress=report,
            cancel=cancel,
        )
    except (CancelledError, GpuUnavailableError):
        raise
    except Exception as error:  # noqa: BLE001  whatever is wrong with this image, the others are still to be aligned
        return PairResult(pair, state, ran=True, seconds=time.perf_counter() - began, error=error_sentence(error))
    return PairResult(pair, state, ran=True, seconds=time.perf_counter() - began)


def _warnings_of(result: PairResult) -> list[str]:
    name, state = result.pair.name, result.state
    if result.error:
        return [f"{name} was not aligned: {result.error}"]
    if state.by_hand:
        return [f"{name}: accepted by {state.checked_by}, but {reason}; look at it again" for reason in state.reasons]
    if state.verdict is None or result.word == "ok":
        return []
    if not state.usable:
        return [f"{name} COULD NOT BE ALIGNED and is not used: {state.verdict.reasons[0]}"]
    return [f"{name}: look at the alignment: {state.verdict.reasons[0]}"]
