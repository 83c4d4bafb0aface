"""Whether a transform may be used: one word and the reasons, from numbers that do not come from one source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_msqsm.registration.second_opinion import SecondOpinion

FAILED_MM, LOOK_MM, LOOK_LARGEST_MM = 2.0, 0.6, 1.5
"""Disagreement with the second opinion, mean and largest over the brain."""
_FAILED_CORRELATION, _LOOK_CORRELATION = 0.1, 0.2
"""Local correlation above chance."""
_FAILED_OVERLAP, _LOOK_OVERLAP = 0.25, 0.6
_BETTER = 0.02
"""Local correlations that differ by less are alike."""
LOOP_MM = 1.0
"""Largest distance by which a loop over three images may fail to close."""
_STRETCH, _STRETCH_IN_SD = 0.002, 4.0


class Level(StrEnum):
    """What becomes of a transform.

    ``ok`` is used; ``look`` is used, and a person should look at it; ``failed`` is not used unless a person accepts it.
    """

    OK = "ok"
    LOOK = "look"
    FAILED = "failed"


@dataclass(frozen=True)
class Verdict:
    """A level and one sentence for everything that speaks for it.

    Parameters
    ----------
    level
        `Level`.
    reasons
        Sentences, the weightiest first; never empty.
    remarks
        What does not touch the verdict and should be known.
    """

    level: Level
    reasons: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def judged(
    opinion: SecondOpinion | None,
    *,
    same_contrast: bool,
    converged: bool = True,
    stretched: bool = False,
) -> Verdict:
    """Weigh everything that is known about a transform.

    Parameters
    ----------
    opinion
        From `napari_msqsm.registration.second_opinion.second_opinion`; None where none could be had.
    same_contrast
        Whether both images have the same contrast.
    converged
        Whether the registration settled.
    stretched
        Whether the model allowed a stretch, so that one need not be suggested.

    Notes
    -----
    The limits were set on the cases of ``docs/coregistration.md``, where right transforms disagree with the second
    opinion by at most 0.4 mm.
    """
    failed: list[str] = []
    look: list[str] = []
    if opinion is None:
        look.append("too little of the brain is in the image for a second opinion")
    else:
        _weigh(opinion, failed, look)
    if not converged:
        look.append("the registration stopped before it had settled")
    remarks = _stretch(opinion) if opinion is not None and same_contrast and not stretched else ()
    if failed:
        return Verdict(Level.FAILED, (*failed, *look), remarks)
    if look:
        return Verdict(Level.LOOK, tuple(look), remarks)
    assert opinion is not None
    return Verdict(Level.OK, (f"a second opinion agrees within {opinion.disagreement_mm:.2f} mm",), remarks)


def after_loop(verdict: Verdict, loop_mm: float, through: str) -> Verdict:
    """Weigh how well a loop over three images closes: a transform that is ok without it may need a look.

    Parameters
    ----------
    verdict
        Without the loop.
    loop_mm
        Mean distance by which it does not close.
    through
        The image that it goes through.
    """
    if loop_mm <= LOOP_MM:
        return verdict
    reason = f"the way through {through} leads {loop_mm:.1f} mm elsewhere; one of the two is wrong"
    if verdict.level is Level.OK:
        return Verdict(Level.LOOK, (reason, *verdict.reasons), verdict.remarks)
    return Verdict(verdict.level, (*verdict.reasons, reason), verdict.remarks)


def _weigh(opinion: SecondOpinion, failed: list[str], look: list[str]) -> None:
    apart, above = opinion.disagreement_mm, opinion.correlation - opinion.chance_correlation
    better = opinion.best_correlation - opinion.correlation
    if opinion.overlap < _FAILED_OVERLAP:
        failed.append(f"only {opinion.overlap:.0%} of the brain lies in the image")
    elif opinion.overlap < _LOOK_OVERLAP:
        look.append(f"only {opinion.overlap:.0%} of the brain lies in the image")
    if above < _FAILED_CORRELATION:
        failed.append(
            f"the images have hardly more in common than by chance (local correlation {opinion.correlation:.2f}, "
            f"by chance {opinion.chance_correlation:.2f})"
        )
    elif above < _LOOK_CORRELATION:
        look.append(
            f"the images have little in common (local correlation {opinion.correlation:.2f}, by chance "
            f"{opinion.chance_correlation:.2f})"
        )
    if apart > FAILED_MM and better > -_BETTER:
        failed.append(f"a second opinion puts the brain {apart:.1f} mm elsewhere")
    elif apart > LOOK_MM:
        look.append(f"a second opinion puts the brain {apart:.1f} mm elsewhere")
    elif opinion.largest_disagreement_mm > LOOK_LARGEST_MM:
        look.append(f"a second opinion puts a part of the brain {opinion.largest_disagreement_mm:.1f} mm elsewhere")
    if opinion.nearby_correlation > opinion.correlation + _BETTER and apart <= LOOK_MM:
        look.append("the images fit no worse when one is moved by 2 mm")


def _stretch(opinion: SecondOpinion) -> tuple[str, ...]:
    """Say how the scanners' millimetres differ, where that stands out."""
    seen = [
        abs(part) > _STRETCH and abs(part) > _STRETCH_IN_SD * sd
        for part, sd in zip(opinion.stretch, opinion.stretch_sd, strict=True)
    ]
    if not any(seen):
        return ()
    parts = ", ".join(f"{name} {100 * part:+.1f} %" for name, part in zip("xyz", opinion.stretch, strict=True))
    return (
        f"the scanners do not agree about a millimetre ({parts}): their gradients differ; consider the model scale9",
    )
