"""Align every image of a patient to the gradient echo of the baseline.

What other code calls: `pairs_of`, `state_of`, `load_pair`, `coregister_patient`, `coregister_pair`, `accept`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from napari_msqsm.errors import CancelledError, GpuUnavailableError, InputError
from napari_msqsm.workflow.coregistration.images import load_pair
from napari_msqsm.workflow.coregistration.maps import renew_maps
from napari_msqsm.workflow.coregistration.middle import through_middle
from napari_msqsm.workflow.coregistration.outcome import CoregistrationOutcome, PairResult
from napari_msqsm.workflow.coregistration.pair import accept, coregister_pair
from napari_msqsm.workflow.coregistration.pairs import GRE, Pair, baseline_of, pairs_of, patient_of
from napari_msqsm.workflow.coregistration.picture import save_pictures
from napari_msqsm.workflow.coregistration.settings import CoregistrationSettings
from napari_msqsm.workflow.coregistration.state import PairState, state_of
from napari_msqsm.workflow.coregistration.work import PatientImages
from napari_msqsm.workflow.tasks import error_sentence

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from napari_msqsm.model.study import Patient, Study
    from napari_msqsm.model.transform import AffineTransform
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
    pictures: bool = False,
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
    pictures
        Draw a picture of every session of which something was aligned.
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
    before = {pair: state_of(study, pair, settings, seed=seed, out_dir=out_dir) for pair in wanted}
    due = [pair for pair, state in before.items() if not (state.by_hand or (only_missing and state.status == "done"))]
    share = _Share(len(due) + 1, on_progress, cancel)
    middle = _middle(images, due, pairs_of(study, person, out_dir=out_dir), settings, seed, share, say)
    results = []
    for pair in wanted:
        result = PairResult(pair, before[pair], ran=False)
        if pair in due:
            share.begin(pair.name)
            result = _run(study, pair, before[pair], settings, images, middle.get(pair), seed, out_dir, share)
        for sentence in _warnings_of(result):
            say(sentence)
        results.append(result)
    share.begin("Susceptibility maps and pictures")
    files = renew_maps(study, person, settings, out_dir=out_dir, on_warning=say)
    drawn = save_pictures(study, results, images, out_dir=out_dir) if pictures else {}
    if on_progress:
        on_progress("Done", 1.0)
    return CoregistrationOutcome(person.patient_id, baseline.label, tuple(results), files, tuple(warnings), drawn)


class _Share:
    """Progress of pairs, one after the other."""

    def __init__(self, count: int, on_progress: OnProgress | None, cancel: threading.Event | None) -> None:
        self.cancel = cancel
        self._count, self._on_progress = count, on_progress
        self._done, self._name = -1, ""

    def begin(self, name: str) -> None:
        """Go on to the next part."""
        self._done, self._name = self._done + 1, name
        self("", 0.0)

    def __call__(self, message: str, fraction: float) -> None:
        """Tell how far the part is; stop where that was asked for."""
        if self.cancel is not None and self.cancel.is_set():
            raise CancelledError("cancelled")
        if self._on_progress:
            words = f"{self._name}: {message}" if message else self._name
            self._on_progress(words, (max(self._done, 0) + fraction) / self._count)


def _middle(
    images: PatientImages,
    due: Sequence[Pair],
    pairs: Sequence[Pair],
    settings: CoregistrationSettings,
    seed: int,
    share: _Share,
    say: OnWarning,
) -> dict[Pair, AffineTransform]:
    """Find the gradient echoes that are due through the mid-space of all; empty where that is not wanted."""
    all_echoes = [pair for pair in pairs if pair.same_contrast]
    wanted = [pair for pair in due if pair.same_contrast]
    if settings.frame != "mid-space" or not wanted:
        return {}
    try:
        found = through_middle(images, all_echoes, settings, seed=seed, on_progress=share, cancel=share.cancel)
    except InputError as error:
        say(f"there is no mid-space ({error}); every gradient echo is aligned to the baseline directly")
        return {}
    for pair in wanted:
        if pair.session not in found:
            say(f"{pair.name} has no part in the mid-space, since its alignment failed; it is aligned directly")
    return {pair: found[pair.session] for pair in wanted if pair.session in found}


def _run(
    study: Study,
    pair: Pair,
    before: PairState,
    settings: CoregistrationSettings,
    images: PatientImages,
    transform: AffineTransform | None,
    seed: int,
    out_dir: Path | None,
    share: _Share,
) -> PairResult:
    """Align a pair; an image that cannot be used does not stop the others."""
    began = time.perf_counter()
    try:
        state = coregister_pair(
            study,
            pair,
            settings,
            transform=transform,
            seed=seed,
            out_dir=out_dir,
            images=images,
            carry_map=False,
            on_progress=share,
            cancel=share.cancel,
        )
    except (CancelledError, GpuUnavailableError):
        raise
    except Exception as error:  # noqa: BLE001  whatever is wrong with this image, the others are still to be aligned
        return PairResult(pair, before, ran=True, seconds=time.perf_counter() - began, error=error_sentence(error))
    return PairResult(pair, state, ran=True, seconds=time.perf_counter() - began)


def _warnings_of(result: PairResult) -> list[str]:
    name, state = result.pair.name, result.state
    if result.error:
        return [f"{name} was not aligned: {result.error}"]
    if state.by_hand:
        advice = "look at it again" if state.usable else "it is NOT USED until it is accepted again"
        return [f"{name}: accepted by {state.checked_by}, but {reason}; {advice}" for reason in state.reasons]
    if state.verdict is None or result.word == "ok":
        return []
    if not state.usable:
        return [f"{name} COULD NOT BE ALIGNED and is not used: {state.verdict.reasons[0]}"]
    return [f"{name}: look at the alignment: {state.verdict.reasons[0]}"]
