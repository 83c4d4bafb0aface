"""Gradient echoes of all time points of a patient through their mid-space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.registration.longitudinal import mid_space
from napari_msqsm.registration.verdict import Level
from napari_msqsm.workflow.coregistration.align import align

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from napari_msqsm.workflow.coregistration.pairs import Pair
    from napari_msqsm.workflow.coregistration.settings import CoregistrationSettings
    from napari_msqsm.workflow.coregistration.work import PatientImages
    from napari_msqsm.workflow.tasks import OnProgress


def through_middle(
    images: PatientImages,
    pairs: Sequence[Pair],
    settings: CoregistrationSettings,
    *,
    seed: int = 0,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> dict[str, AffineTransform]:
    """Transform of the baseline to every follow-up, by session, that goes through the middle of all of them.

    A time point whose first alignment failed would pull the others with it and has no part in the middle.

    Parameters
    ----------
    images
        Of the patient.
    pairs
        Of the follow-ups' gradient echoes, all of one patient.
    settings
        How; rigid.
    seed, on_progress, cancel
        See `napari_msqsm.registration.register.register`.

    Returns
    -------
    dict
        Without the time points that failed or cannot be read; empty where none is left.
    """
    told = None if on_progress is None else lambda message, _: on_progress(f"mid-space: {message}", 0.0)
    first, sound = [AffineTransform.identity()], []
    for pair in pairs:
        try:
            found = align(images, pair, settings, seed=seed, on_progress=told, cancel=cancel)
        except InputError:  # what is wrong with it is told when it is aligned for itself
            continue
        if found.check.verdict.level is not Level.FAILED:
            first.append(found.transform)
            sound.append(pair)
    if not sound:
        return {}
    loaded = [images.magnitude(pairs[0].fixed_session), *(images.moving(pair) for pair in sound)]
    middle = mid_space(
        [array for array, _ in loaded],
        [grid for _, grid in loaded],
        initial=first,
        brain_masks=[images.brain(label) for label in (pairs[0].fixed_session, *(pair.session for pair in sound))],
        on_progress=on_progress,
        cancel=cancel,
    )
    return {pair.session: middle.between(0, number) for number, pair in enumerate(sound, start=1)}
