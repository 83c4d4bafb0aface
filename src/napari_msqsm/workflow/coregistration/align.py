"""The transform of one pair: registered to the baseline at once, or through its own session's gradient echo."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from napari_msqsm.registration.check import Check, better, check_transform
from napari_msqsm.registration.register import register
from napari_msqsm.registration.verdict import Level
from napari_msqsm.workflow.coregistration.state import DIRECT

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from pathlib import Path

    from napari_msqsm._backend import Array
    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.transform import AffineTransform
    from napari_msqsm.registration.result import Registration
    from napari_msqsm.workflow.coregistration.pairs import Pair
    from napari_msqsm.workflow.coregistration.settings import CoregistrationSettings
    from napari_msqsm.workflow.coregistration.work import PatientImages
    from napari_msqsm.workflow.tasks import OnProgress

THROUGH_OWN = "through the gradient echo of its own session"
BY_HAND = "by hand"
_BETTER = 0.02
_AGAIN = "registered again from where the second opinion led, since {reason}"
_THROUGH = "composed through the gradient echo of its own session, since directly {reason}"


@dataclass(frozen=True)
class Aligned:
    """A transform, its verdict and how it was found.

    Parameters
    ----------
    transform
        Baseline → moving image, mm RAS+.
    check
        Verdict and numbers.
    route
        ``direct``, `THROUGH_OWN`, `THROUGH_MIDDLE` or `BY_HAND`.
    through
        Files that it rests on besides those of the pair.
    record
        Of the registration; plain values.
    warnings
        How it was found, where that was not straightforward.
    """

    transform: AffineTransform
    check: Check
    route: str = DIRECT
    through: tuple[Path, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def align(
    images: PatientImages,
    pair: Pair,
    settings: CoregistrationSettings,
    *,
    initial: AffineTransform | None = None,
    own: tuple[Pair, AffineTransform] | None = None,
    seed: int = 0,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> Aligned:
    """Register a pair and judge the transform.

    Parameters
    ----------
    images
        Of the patient.
    pair
        What to align.
    settings
        How.
    initial
        Transform to start from; other positions are not searched then.
    own
        For another contrast of a follow-up: the pair of its own session's gradient echo, and its transform. Where the
        direct transform is not beyond doubt, the one composed through it is tried too, and the better one is taken.
    seed, on_progress, cancel
        See `napari_msqsm.registration.register.register`.
    """
    fixed, moving = images.magnitude(pair.fixed_session), images.moving(pair)
    run = functools.partial(_registered, fixed, moving, settings, seed=seed, cancel=cancel)
    found = judged(images, pair, *run(initial=initial, on_progress=_share(on_progress, 0.0, 0.5)))
    if found.check.verdict.level is Level.OK:
        return found
    opinion = found.check.opinion
    if opinion is not None and opinion.best_correlation > opinion.correlation + _BETTER:
        again = judged(images, pair, *run(initial=opinion.transform, on_progress=_share(on_progress, 0.5, 0.75)))
        if better(again.check, found.check):
            found = replace(again, warnings=(_AGAIN.format(reason=found.check.verdict.reasons[0]),))
    if own is None or found.check.verdict.level is Level.OK:
        return found
    own_pair, to_own = own
    onto_own = _registered(
        images.magnitude(pair.session),
        moving,
        settings,
        initial=None,
        seed=seed,
        on_progress=_share(on_progress, 0.75, 1.0),
        cancel=cancel,
    )
    composed = judged(images, pair, onto_own[0].after(to_own), onto_own[1])
    if not better(composed.check, found.check):
        return found
    reason = found.check.verdict.reasons[0]
    return replace(
        composed,
        route=THROUGH_OWN,
        through=(own_pair.xfm, *own_pair.moving),
        warnings=(_THROUGH.format(reason=reason),),
    )


def judged(
    images: PatientImages, pair: Pair, transform: AffineTransform, registration: Registration | None = None
) -> Aligned:
    """Check a transform of a pair, whoever found it."""
    (fixed, fixed_grid), (moving, moving_grid) = images.magnitude(pair.fixed_session), images.moving(pair)
    check = check_transform(
        fixed,
        fixed_grid,
        moving,
        moving_grid,
        transform,
        same_contrast=pair.same_contrast,
        brain_mask=images.brain(pair.fixed_session),
        converged=registration is None or registration.converged,
        stretched=registration is not None and registration.model != "rigid",
    )
    if registration is None:
        return Aligned(transform, check)
    numbers = {**check.numbers, "similarity": registration.similarity}
    return Aligned(transform, replace(check, numbers=numbers), record=registration.record)


def _registered(
    fixed: tuple[Array, Grid],
    moving: tuple[Array, Grid],
    settings: CoregistrationSettings,
    *,
    initial: AffineTransform | None,
    seed: int,
    on_progress: OnProgress | None,
    cancel: threading.Event | None,
) -> tuple[AffineTransform, Registration]:
    found = register(
        *fixed,
        *moving,
        settings=settings.registration,
        initial=initial,
        seed=seed,
        on_progress=on_progress,
        cancel=cancel,
    )
    return found.transform, found


def _share(on_progress: OnProgress | None, start: float, end: float) -> OnProgress | None:
    if on_progress is None:
        return None
    return lambda message, fraction: on_progress(message, start + (end - start) * fraction)
