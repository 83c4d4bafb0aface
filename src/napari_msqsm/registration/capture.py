"""Finding the head: many starting positions, scored coarsely; the best are improved, and those that differ go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_msqsm.registration.host.optimiser import ascend
from napari_msqsm.registration.host.starts import apart_mm, starting_positions
from napari_msqsm.registration.levels import centre_of_mass

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_msqsm.registration.host.motion import Motion
    from napari_msqsm.registration.levels import Levels
    from napari_msqsm.registration.pair import PairSimilarity
    from napari_msqsm.registration.settings import RegistrationSettings

_IMPROVED = 6
"""Starting positions that are improved."""
_KEPT = 2
"""Different answers that go on to the next level."""
_DIFFERENT_MM = 6.0
_HEAD_LEVEL = 0.08


def captured(
    fixed: Levels,
    moving: Levels,
    pair: PairSimilarity,
    rigid: Callable[[NDArray[Any]], Motion],
    settings: RegistrationSettings,
    record: dict[str, Any],
) -> list[Motion]:
    """Rigid motions that are worth following, the best first."""
    centre = centre_of_mass(fixed.coarsest, _HEAD_LEVEL)
    starts = starting_positions(
        centre,
        centre_of_mass(moving.coarsest, _HEAD_LEVEL),
        turn_deg=settings.capture_deg,
        shift_mm=settings.capture_mm,
    )
    scored = sorted(((pair.value(start), -n) for n, start in enumerate(starts)), reverse=True)
    chosen: list[NDArray[Any]] = []
    for value, minus_n in scored:
        start = starts[-minus_n]
        if value > 0 and all(apart_mm(start, other, centre) > _DIFFERENT_MM for other in chosen):
            chosen.append(start)
        if len(chosen) == _IMPROVED:
            break
    ascents = []
    for start in chosen:
        motion = rigid(start)
        ascents.append(
            ascend(
                pair.value_and_gradient,
                motion.about(pair.centre_mm(motion.matrix)),
                first_step_mm=0.5 * settings.levels_mm[0],
                tolerance_mm=settings.tolerance_mm[0],
                max_iter=settings.max_iter,
            )
        )
    ascents.sort(key=lambda ascent: -ascent.value)
    kept: list[Motion] = []
    for ascent in ascents:
        matrix = ascent.motion.matrix
        if len(kept) < _KEPT and all(apart_mm(matrix, other.matrix, centre) > _DIFFERENT_MM for other in kept):
            kept.append(ascent.motion)
    record["starts"] = {
        "tried": len(starts),
        "improved": len(ascents),
        "kept": len(kept),
        "evaluations": len(starts) + sum(ascent.evaluations for ascent in ascents),
        "similarity": ascents[0].value if ascents else 0.0,
    }
    return kept or [rigid(starts[0])]
