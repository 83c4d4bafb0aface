"""Align one pair of images, or take a transform that a person found or looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from napari_msqsm.errors import ParameterError
from napari_msqsm.registration.check import Check
from napari_msqsm.workflow.coregistration.align import BY_HAND, Aligned, align, judged
from napari_msqsm.workflow.coregistration.loops import with_loop
from napari_msqsm.workflow.coregistration.maps import renew_map
from napari_msqsm.workflow.coregistration.pairs import GRE, pairs_of
from napari_msqsm.workflow.coregistration.record import write_pair
from napari_msqsm.workflow.coregistration.settings import CoregistrationSettings
from napari_msqsm.workflow.coregistration.state import THROUGH_MIDDLE, PairState, all_echoes, state_of
from napari_msqsm.workflow.coregistration.work import PatientImages

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from napari_msqsm.model.study import Study
    from napari_msqsm.model.transform import AffineTransform
    from napari_msqsm.workflow.coregistration.pairs import Pair
    from napari_msqsm.workflow.tasks import OnProgress


def coregister_pair(
    study: Study,
    pair: Pair,
    settings: CoregistrationSettings | None = None,
    *,
    initial: AffineTransform | None = None,
    transform: AffineTransform | None = None,
    replace_accepted: bool = False,
    device: str = "auto",
    seed: int = 0,
    out_dir: Path | None = None,
    images: PatientImages | None = None,
    carry_map: bool = True,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> PairState:
    """Align one pair, judge the transform and write it; a follow-up's susceptibility map is carried along.

    Parameters
    ----------
    study, pair
        From `napari_msqsm.workflow.coregistration.pairs.pairs_of`.
    settings
        `CoregistrationSettings`.
    initial
        Transform to start from, such as one that was nudged by hand; other positions are not searched then.
    transform
        Transform that was found through the mid-space of all time points: it is judged and written, nothing is
        registered.
    replace_accepted
        Whether a transform that a person accepted may be replaced.
    device
        ``auto``, ``cpu`` or ``cuda``.
    seed
        Of the points at which the images are compared.
    out_dir
        Root of the derivatives; ``derivatives/msqsm`` of the study when not given.
    images
        Keeps images in memory between the pairs of one patient.
    carry_map
        Whether a follow-up's susceptibility map is carried to the baseline's grid with the new transform.
    on_progress, cancel
        See `napari_msqsm.workflow.tasks`.

    Returns
    -------
    PairState
        As it now lies on disk. A failed registration is written too, for looking at it; nothing rests on it.

    Raises
    ------
    ParameterError
        When a person accepted the transform that is there.
    InputError
        When an image cannot be read.
    CancelledError, GpuUnavailableError
        As they say.
    """
    settings = settings or CoregistrationSettings()
    before = state_of(study, pair, out_dir=out_dir)
    if before.by_hand and not replace_accepted:
        raise ParameterError(
            f"the transform of {pair.name} was accepted by {before.checked_by} on {before.checked_at[:10]} and stays; "
            "ask for its replacement explicitly"
        )
    work = images or PatientImages(study, device=device, out_dir=out_dir)
    own = None if initial is not None else _own(study, pair, out_dir)
    if transform is not None:
        aligned = replace(judged(work, pair, transform), route=THROUGH_MIDDLE, through=all_echoes(study, pair))
    else:
        aligned = align(
            work, pair, settings, initial=initial, own=own, seed=seed, on_progress=on_progress, cancel=cancel
        )
    if settings.loop_closure:
        aligned = with_loop(study, pair, aligned, work, out_dir=out_dir)
    write_pair(study, pair, aligned, settings, device=work.device, seed=seed, out_dir=out_dir)
    if carry_map:
        renew_map(study, pair, settings, out_dir=out_dir)
    return state_of(study, pair, settings, seed=seed, out_dir=out_dir)


def accept(
    study: Study,
    pair: Pair,
    transform: AffineTransform,
    *,
    who: str,
    note: str = "",
    settings: CoregistrationSettings | None = None,
    out_dir: Path | None = None,
) -> PairState:
    """Write a transform that a person looked at; no re-run replaces it.

    Parameters
    ----------
    study, pair
        From `napari_msqsm.workflow.coregistration.pairs.pairs_of`.
    transform
        Baseline → moving image, mm RAS+: as it was found, or corrected by hand.
    who
        Name or initials of the person.
    note
        What they want to have on record.
    settings
        Interpolation of the map.
    out_dir
        Root of the derivatives; ``derivatives/msqsm`` of the study when not given.

    Raises
    ------
    ParameterError
        When nobody is named.
    InputError
        When an image cannot be read.
    """
    if not who.strip():
        raise ParameterError("nobody was named who accepts the transform; give a name or initials")
    settings = settings or CoregistrationSettings()
    work = PatientImages(study, device="cpu", out_dir=out_dir)
    before = state_of(study, pair, out_dir=out_dir)
    if before.status == "done" and before.transform == transform and before.verdict is not None:
        aligned = Aligned(transform, Check(before.verdict, before.numbers), before.route)
    else:
        aligned = replace(judged(work, pair, transform), route=BY_HAND)
    checked = {"By": who.strip(), "At": datetime.now(UTC).isoformat(timespec="seconds"), "Note": note.strip()}
    write_pair(study, pair, aligned, settings, device=work.device, seed=0, checked=checked, out_dir=out_dir)
    renew_map(study, pair, settings, out_dir=out_dir)
    return state_of(study, pair, out_dir=out_dir)


def _own(study: Study, pair: Pair, out_dir: Path | None) -> tuple[Pair, AffineTransform] | None:
    """Pair of the gradient echo of the same follow-up, and its transform, where that may be used."""
    if pair.same_contrast or pair.session == pair.fixed_session:
        return None
    for other in pairs_of(study, pair.patient_id, out_dir=out_dir):
        if other.session == pair.session and other.contrast == GRE:
            state = state_of(study, other, out_dir=out_dir)
            if state.usable and state.transform is not None:
                return other, state.transform
    return None
