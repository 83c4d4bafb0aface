"""Gradient echoes of all time points of a patient through their mid-space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.registration.longitudinal import mid_space
from napari_msqsm.registration.register import register

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from napari_msqsm.workflow.coregister_pairs import Pair
    from napari_msqsm.workflow.coregister_settings import CoregistrationSettings
    from napari_msqsm.workflow.coregister_work import PatientImages
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

    Raises
    ------
    ParameterError
        When the model is not rigid.
    InputError
        When an image cannot be read or aligned.
    """
    loaded = [images.magnitude(pairs[0].fixed_session), *(images.moving(pair) for pair in pairs)]
    first = [AffineTransform.identity()]
    for moving in loaded[1:]:
        found = register(
            *loaded[0],
            *moving,
            settings=settings.registration,
            seed=seed,
            on_progress=None if on_progress is None else lambda message, _: on_progress(f"mid-space: {message}", 0.0),
            cancel=cancel,
        )
        first.append(found.transform)
    middle = mid_space(
        [array for array, _ in loaded],
        [grid for _, grid in loaded],
        initial=first,
        brain_masks=[images.brain(label) for label in (pairs[0].fixed_session, *(pair.session for pair in pairs))],
        on_progress=on_progress,
        cancel=cancel,
    )
    return {pair.session: middle.between(0, number) for number, pair in enumerate(pairs, start=1)}
