"""Finding the head: many starting positions, scored coarsely; the best are improved, and those that differ go on.

Which of the improved ones are best is judged one level finer: at 8 mm the right position of two unlike contrasts is
hardly better than wrong ones, at 4 mm it stands out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_msqsm.registration.host.optimiser import ascend
from napari_msqsm.registration.host.starts import apart_mm, starting_positions
from napari_msqsm.registration.levels import centre_of_mass

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_msqsm.registration.host.motion import Motion
    from napari_msqsm.registration.pyramid import LevelImage
    from napari_msqsm.registration.settings import RegistrationSettings

_IMPROVED = 24
"""Starting positions that are improved."""
_KEPT = 4
"""Different answers that go on to the next level."""
_DIFFERENT_MM = 6.0
_HEAD_LEVEL = 0.08


def captured(
    fixed: LevelImage,
    moving: LevelImage,
    *,
    value: Callable[[NDArray[Any]], float],
    value_and_gradient: Callable[[NDArray[Any]], tuple[float, NDArray[Any]]],
    finer_value: Callable[[NDArray[Any]], float],
    motion_of: Callable[[NDArray[Any]], Motion],
    settings: RegistrationSettings,
) -> tuple[list[Motion], dict[str, Any]]:
    """Find rigid motions that are worth following.

    Parameters
    ----------
    fixed, moving
        The images at the coarsest level.
    value, value_and_gradient
        Similarity under a (4, 4) map; 0 where too little lies inside.
    finer_value
        The same one level finer.
    motion_of
        Rigid motion nearest to a map.
    settings
        How far to look.

    Returns
    -------
    tuple
        The motions, best first, and how they were found.
    """
    centre = centre_of_mass(fixed, _HEAD_LEVEL)
    starts = starting_positions(
        centre, centre_of_mass(moving, _HEAD_LEVEL), turn_deg=settings.capture_deg, shift_mm=settings.capture_mm
    )
    scored = sorted(((value(start), -n) for n, start in enumerate(starts)), reverse=True)
    chosen: list[NDArray[Any]] = []
    for score, minus_n in scored:
        start = starts[-minus_n]
        if score > 0 and all(apart_mm(start, other, centre) > _DIFFERENT_MM for other in chosen):
            chosen.append(start)
        if len(chosen) == _IMPROVED:
            break
    ascents = [
        ascend(
            value_and_gradient,
            motion_of(start),
            first_step_mm=0.5 * settings.levels_mm[0],
            tolerance_mm=settings.tolerance_mm[0],
            max_iter=settings.max_iter,
        )
        for start in chosen
    ]
    judged = [(finer_value(ascent.motion.matrix), -n) for n, ascent in enumerate(ascents)]
    kept: list[Motion] = []
    for _, minus_n in sorted(judged, reverse=True):
        motion = ascents[-minus_n].motion
        if len(kept) < _KEPT and all(apart_mm(motion.matrix, other.matrix, centre) > _DIFFERENT_MM for other in kept):
            kept.append(motion)
    how = {
        "tried": len(starts),
        "improved": len(ascents),
        "kept": len(kept),
        "evaluations": len(starts) + sum(ascent.evaluations for ascent in ascents),
        "similarity": max((ascent.value for ascent in ascents), default=0.0),
    }
    return kept or [motion_of(starts[0])], how
