"""Whether a lesion was there before it enhanced: what earlier sessions show at its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.lesions.label_cloud import LabelCloud
from napari_msqsm.lesions.onset import EarlierLook, Place, lattice, look_back, place_of, sampled
from napari_msqsm.workspace.drawing.plane import Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.lesion import Onset
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workflow.workbench.onset import Point
    from napari_msqsm.workspace.drawing.drawing import Drawing

_LEAST_DRAWN = 0.1
"""Part of its place that an earlier drawing must hold to count."""


@dataclass(frozen=True, eq=False)
class EarlierSession:
    """A session before the one at which a lesion enhances.

    Parameters
    ----------
    session
        BIDS name.
    look
        What FLAIR shows at its place; None where there is none that may be used, ``lacks`` says why.
    patch
        (n, n, n) FLAIR about the place, 1 mm along the scanner axes of the baseline, for display; None as ``look``.
    drawn
        Labels of lesions that are drawn there at that session.
    """

    session: str
    look: EarlierLook | None
    patch: NDArray[np.float32] | None = field(repr=False)
    drawn: tuple[int, ...] = ()
    lacks: str = ""


@dataclass(frozen=True, eq=False)
class OnsetProposal:
    """What the earlier sessions say about a lesion that enhances.

    Parameters
    ----------
    onset
        Proposed; None where it cannot be told.
    reason
        What that rests on, one sentence with its numbers.
    patch
        (n, n, n) FLAIR of the session itself about the place; None where it has none.
    place
        Lesion and white matter that were compared, on the same lattice; None as ``patch``.
    earlier
        Sessions before, in order.
    """

    onset: Onset | None
    reason: str
    patch: NDArray[np.float32] | None = field(repr=False)
    place: Place | None = field(repr=False)
    earlier: tuple[EarlierSession, ...]


def propose_onset(
    drawing: Drawing, maps: PatientMaps, session: str, point_mm: Point, *, label: int | None = None
) -> OnsetProposal:
    """Look at earlier sessions at the place of a lesion and propose what its onset is.

    Parameters
    ----------
    drawing, maps
        Of the patient.
    session
        At which it enhances.
    point_mm
        Where, RAS+ mm at the baseline.
    label
        Of the lesion, where it is drawn on the FLAIR of that session already.

    Returns
    -------
    OnsetProposal
        *No earlier scan* where there is no earlier session. *Re-enhancing* where FLAIR of one was bright there, or a
        lesion is drawn there; *new* where FLAIR of all that could be looked at was like white matter. None where that
        cannot be told: see `napari_msqsm.lesions.onset.look_back`.
    """
    before = maps.before(session)
    points = lattice(np.asarray(point_mm, dtype=np.float64))
    patch = _flair(maps, session, points)
    place = None
    if not isinstance(patch, str):
        own = _drawn(drawing, maps, session, points)
        place = place_of(patch, own == label if label is not None else None)
    found = tuple(_earlier(drawing, maps, each.label, points, place) for each in before)
    shown = None if isinstance(patch, str) else patch
    if not before:
        return OnsetProposal("no earlier scan", f"there is no session before {session}", shown, place, ())
    onset, reason = _decided(drawing, found, place, session)
    return OnsetProposal(onset, reason, shown, place, found)


def _decided(
    drawing: Drawing, earlier: tuple[EarlierSession, ...], place: Place | None, session: str
) -> tuple[Onset | None, str]:
    for each in reversed(earlier):
        if each.drawn:
            names = ", ".join(_name(drawing, label) for label in each.drawn)
            return "re-enhancing", f"{names} is drawn there at {each.session}"
    looks = [(each.session, each.look) for each in earlier if each.look is not None]
    there = [(label, look) for label, look in looks if look.verdict == "there"]
    if there:
        label, look = there[-1]
        return "re-enhancing", f"FLAIR was bright there at {label}: {_numbers(look)}"
    normal = [(label, look) for label, look in looks if look.verdict == "normal"]
    unclear = [(label, look) for label, look in looks if look.verdict == "cannot tell"]
    if unclear:
        label, look = unclear[-1]
        if place is not None and not place.clear:
            return None, f"it hardly stands out of the white matter around it on the FLAIR of {session}: look yourself"
        return None, f"FLAIR of {label} is between white matter and lesion there: {_numbers(look)}"
    if not normal:
        return None, "no earlier FLAIR that may be used reaches it: " + "; ".join(
            f"{each.session}: {each.lacks or 'it lies beyond the image'}" for each in earlier
        )
    label, look = normal[-1]
    more = f", as at {len(normal) - 1} more" if len(normal) > 1 else ""
    return "new", f"FLAIR of {label} was like white matter there{more}: {_numbers(look)}"


def _numbers(look: EarlierLook) -> str:
    return (
        f"{100 * look.ratio:.0f} % of the height that it has now, and {100 * look.bright_fraction:.0f} % of its place "
        "brighter than half of that"
    )


def _earlier(
    drawing: Drawing, maps: PatientMaps, session: str, points: NDArray[np.float64], place: Place | None
) -> EarlierSession:
    flair, labels = _flair(maps, session, points), _drawn(drawing, maps, session, points)
    drawn: tuple[int, ...] = ()
    if place is not None and place.core.any():
        inside, counts = np.unique(labels[place.core], return_counts=True)
        whole = _LEAST_DRAWN * np.count_nonzero(place.core)
        drawn = tuple(int(each) for each, n in zip(inside, counts, strict=True) if each and n >= whole)
    if isinstance(flair, str):
        return EarlierSession(session, None, None, drawn, flair)
    if place is None:
        return EarlierSession(session, None, flair, drawn, "the FLAIR of the onset session cannot be used")
    return EarlierSession(session, look_back(place, flair), flair, drawn)


def _flair(maps: PatientMaps, session: str, points: NDArray[np.float64]) -> NDArray[np.float32] | str:
    """FLAIR of a session at points of the baseline, or why there is none."""
    transform, image = maps.transform(session, "FLAIR"), maps.contrast(session, "FLAIR")
    if image is None:
        return "it has no FLAIR"
    if transform is None:
        return "its FLAIR is not aligned to the baseline, or the alignment may not be used; coregister it"
    return sampled(image[0], image[1], transform, points)


def _drawn(drawing: Drawing, maps: PatientMaps, session: str, points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Label that is drawn on the FLAIR of a session at points of the baseline."""
    plane, transform = Plane.flair(session), maps.transform(session, "FLAIR")
    if plane not in drawing.planes or transform is None:
        return np.zeros(points.shape[:-1], np.int64)
    cloud = LabelCloud(drawing.labels(plane), drawing.grid(plane), transform)
    return np.maximum(cloud.at(points.reshape(-1, 3)), 0).reshape(points.shape[:-1])


def _name(drawing: Drawing, label: int) -> str:
    lesion = drawing.lesion(label)
    return f"lesion {label}" if lesion is None else lesion.lesion_id
