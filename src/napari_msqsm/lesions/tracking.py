"""Lesions over sessions: which are new, enlarge, shrink, merge, split or are gone.

Positions of voxels are compared, not images: the voxels of one session are looked up in the label image of the other,
so that nothing is interpolated and volumes are those that were drawn. AFIL
(Automatic Follow-up of Individual Lesions, PubMed Central PMC6411650) follows lesions by their registered masks; here
voxels may also lie some way beside each other, since small lesions are no larger than what an alignment leaves over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from napari_msqsm.lesions.overlaps import TOLERANCE_MM, beyond, overlaps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_msqsm.lesions.label_cloud import LabelCloud
    from napari_msqsm.lesions.overlaps import Overlap

State = Literal["new", "enlarging", "shrinking", "stable", "merged", "split", "gone", "not covered"]
LEAST_EDGE_MM = 0.3
LEAST_EDGE_VOXELS = 0.25
"""Where the edge of a lesion is drawn is uncertain by 0.3 mm, and by a quarter of a voxel (of the cube of its volume)
where that is more. A change of volume counts when it is more than the surface times that."""


@dataclass(frozen=True)
class LesionState:
    """What became of a lesion from one session to another.

    Parameters
    ----------
    label
        Its number, in both sessions.
    state
        ``new``: drawn in the later session only, at a place where nothing was. ``split``: drawn in the later one only,
        where another one was, of which it is a part. ``gone``: nothing is drawn any more. ``merged``: its place is now
        part of another one. ``not covered``: the later image does not reach it. Otherwise as its volume went.
    before_mm3, after_mm3
        Volumes.
    limit_mm3
        A change of volume counts beyond this.
    others
        The lesions that it merged with, or is a part of.
    """

    label: int
    state: State
    before_mm3: float
    after_mm3: float
    limit_mm3: float = 0.0
    others: tuple[int, ...] = ()


def states(earlier: LabelCloud, later: LabelCloud, *, tolerance_mm: float = TOLERANCE_MM) -> tuple[LesionState, ...]:
    """Tell what became of each lesion whose label is the same in both sessions.

    Parameters
    ----------
    earlier, later
        Lesions of two sessions; their transforms lead from one common space.
    tolerance_mm
        See `napari_msqsm.lesions.overlaps.overlaps`.

    Returns
    -------
    tuple of LesionState
        By label; of every lesion that is drawn in one of the two.

    Notes
    -----
    A lesion grew or shrank where ``|V₂ − V₁| > δ (S₁ + S₂)/2``: volumes V, surfaces S, and an edge that is uncertain by
    ``δ = max(0.3 mm, a quarter of the edge of the larger voxel)``. A ball of 4 mm radius has to change by 22 %, one of
    2 mm by 45 %. What a reader draws twice differs more where the lesion fades out; the limit knows nothing of that.
    """
    before, after = earlier.volumes_mm3, later.volumes_mm3
    found = overlaps(earlier, later, tolerance_mm=tolerance_mm)
    unseen = beyond(earlier, later)
    out = []
    for label in sorted(set(before) | set(after)):
        one, other = before.get(label, 0.0), after.get(label, 0.0)
        if not other:
            into = tuple(each.second for each in found if each.first == label)
            state: State = "merged" if into else "not covered" if label in unseen else "gone"
            out.append(LesionState(label, state, one, other, others=into))
        elif not one:
            parts = tuple(each.first for each in found if each.second == label and each.of_second >= 0.5)
            out.append(LesionState(label, "split" if parts else "new", one, other, others=parts))
        else:
            limit = change_limit_mm3(earlier, later, label)
            changed: State = "enlarging" if other > one else "shrinking"
            out.append(LesionState(label, changed if abs(other - one) > limit else "stable", one, other, limit))
    return tuple(out)


def change_limit_mm3(earlier: LabelCloud, later: LabelCloud, label: int) -> float:
    """Change of volume that drawing and voxels alone may make, see `states`."""
    largest_mm3 = max(earlier.voxel_mm3, later.voxel_mm3)
    edge_mm = max(LEAST_EDGE_MM, LEAST_EDGE_VOXELS * math.pow(largest_mm3, 1 / 3))
    return edge_mm * 0.5 * (earlier.surfaces_mm2[label] + later.surfaces_mm2[label])


def matched(
    known: LabelCloud, strange: LabelCloud, *, tolerance_mm: float = TOLERANCE_MM
) -> dict[int, tuple[Overlap, ...]]:
    """Find which known lesion each of another session is, whatever the numbers.

    Parameters
    ----------
    known
        Lesions whose labels are kept.
    strange
        Lesions that are looked for among them.
    tolerance_mm
        See `napari_msqsm.lesions.overlaps.overlaps`.

    Returns
    -------
    dict
        By label of the strange lesion the known ones at its place, the largest overlap first; none where it is new.
        `identities` makes one label of each.
    """
    found = overlaps(known, strange, tolerance_mm=tolerance_mm)
    return {label: _in_order(label, found) for label in strange.volumes_mm3}


def identities(matches: dict[int, tuple[Overlap, ...]]) -> dict[int, int]:
    """Label of the known lesion that each strange one is; those that are new, or parts of one that split, are left out.

    Pairs are taken in order of their overlap, each lesion once.
    """
    pairs: Iterable[Overlap] = (each for several in matches.values() for each in several)
    out: dict[int, int] = {}
    for each in sorted(pairs, key=lambda pair: (-pair.volume_mm3, -pair.share, pair.first, pair.second)):
        if each.second not in out and each.first not in out.values():
            out[each.second] = each.first
    return out


def _in_order(label: int, found: Iterable[Overlap]) -> tuple[Overlap, ...]:
    mine = (each for each in found if each.second == label)
    return tuple(sorted(mine, key=lambda pair: (-pair.volume_mm3, -pair.share, pair.first)))
