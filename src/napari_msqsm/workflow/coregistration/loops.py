"""Whether transforms agree round a loop of three images: to an image directly, and through another time point."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError
from napari_msqsm.registration.second_opinion import second_opinion
from napari_msqsm.registration.verdict import after_loop
from napari_msqsm.workflow.coregistration.pairs import pairs_of
from napari_msqsm.workflow.coregistration.state import state_of

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.model.study import Study
    from napari_msqsm.model.transform import AffineTransform
    from napari_msqsm.workflow.coregistration.align import Aligned
    from napari_msqsm.workflow.coregistration.pairs import Pair
    from napari_msqsm.workflow.coregistration.work import PatientImages

_LEAST_ABOVE_CHANCE = 0.2


def with_loop(
    study: Study, pair: Pair, aligned: Aligned, images: PatientImages, *, out_dir: Path | None = None
) -> Aligned:
    """Add to what is known about a transform how well a loop through another time point closes.

    The third side of the loop joins two images of one contrast, the partner's and this one: local correlations say
    how far its transform, as it follows from the other two, is off.
    """
    found = _partner(study, pair, out_dir)
    if found is None:
        return aligned
    partner, to_partner = found
    brain = images.brain(partner.session) if pair.same_contrast else None
    between = aligned.transform.after(to_partner.inverse())
    try:
        opinion = second_opinion(
            *images.moving(partner), *images.moving(pair), between, same_contrast=True, brain_mask=brain
        )
    except InputError:
        return aligned
    if opinion.best_correlation - opinion.chance_correlation < _LEAST_ABOVE_CHANCE:
        return aligned
    loop_mm = opinion.disagreement_mm
    check = replace(
        aligned.check,
        verdict=after_loop(aligned.check.verdict, loop_mm, partner.name),
        numbers={**aligned.check.numbers, "loop_mm": loop_mm},
    )
    return replace(aligned, check=check)


def _partner(study: Study, pair: Pair, out_dir: Path | None) -> tuple[Pair, AffineTransform] | None:
    """Nearest earlier pair of the same contrast with a transform that may be used, and that transform."""
    found = None
    for other in pairs_of(study, pair.patient_id, out_dir=out_dir):
        if other.session == pair.session:
            break
        if other.contrast == pair.contrast:
            state = state_of(study, other, out_dir=out_dir)
            if state.usable and state.transform is not None:
                found = other, state.transform
    return found
