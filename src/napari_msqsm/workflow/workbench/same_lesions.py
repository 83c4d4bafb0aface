"""Which lesion of a patient each lesion of a mask is: found at the same place at the sessions that are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm.lesions.tracking import identities, matched

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_msqsm.lesions.label_cloud import LabelCloud


@dataclass(frozen=True)
class Same:
    """A lesion of a mask among the lesions of a patient.

    Parameters
    ----------
    number
        In the mask.
    label
        Of the lesion that it is; 0 for a new one.
    others
        Labels of further lesions at its place: those that merged into it, or that it split off from.
    """

    number: int
    label: int
    others: tuple[int, ...] = ()


def same_lesions(strange: LabelCloud, known: Iterable[LabelCloud], *, apart: Iterable[int] = ()) -> tuple[Same, ...]:
    """Find the lesions of a mask among those of a patient.

    Parameters
    ----------
    strange
        Lesions of the mask, whatever their numbers.
    known
        Drawn lesions of sessions, the one that counts most first. Every lesion is found once, and the others are not
        looked at when all have been found.
    apart
        Labels of known lesions that none of the mask can be.

    Returns
    -------
    tuple of Same
        By number.
    """
    found: dict[int, int] = {}
    forbidden = frozenset(apart)
    places: dict[int, list[int]] = {number: [] for number in strange.volumes_mm3}
    for cloud in known:
        matches = matched(cloud, strange)
        for number, pairs in matches.items():
            places[number] += [pair.first for pair in pairs if pair.first not in places[number]]
        taken = {*found.values(), *forbidden}
        left = {
            number: tuple(pair for pair in pairs if pair.first not in taken)
            for number, pairs in matches.items()
            if number not in found
        }
        found |= identities(left)
        if len(found) == len(places):
            break
    return tuple(
        Same(number, found.get(number, 0), tuple(label for label in labels if label != found.get(number)))
        for number, labels in sorted(places.items())
    )
