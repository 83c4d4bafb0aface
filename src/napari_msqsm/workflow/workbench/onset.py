"""Where and when a lesion first enhances."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import ParameterError
from napari_msqsm.model.lesion import Enhancement, Lesion, Onset
from napari_msqsm.workflow.workbench.take_masks import free_id
from napari_msqsm.workspace.drawing.edit import Edit, FollowUpChange, LesionChange, voxels_set
from napari_msqsm.workspace.drawing.plane import Plane

if TYPE_CHECKING:
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing
    from napari_msqsm.workspace.drawing.edit import VoxelChange

Point = tuple[float, float, float]


def mark_onset(
    drawing: Drawing,
    maps: PatientMaps,
    session: str,
    point_mm: Point,
    *,
    label: int | None = None,
    onset: Onset | None = None,
    enhancement: Enhancement | None = None,
) -> Edit:
    """Mark where and when a lesion first enhances; an edit, not applied.

    Parameters
    ----------
    drawing, maps
        Of the patient.
    session
        BIDS name of the session at which it enhances.
    point_mm
        Where, RAS+ mm in the scanner space of the baseline's gradient echo; see `at_baseline`.
    label
        Of a lesion that there is already; a new one is made when not given.
    onset, enhancement
        What is known of it; what was known before stays when not given.

    Returns
    -------
    Edit
        Where the onset moves to a later session, what was propagated to sessions that are no longer after it is taken
        away; `lost_by` tells beforehand.

    Raises
    ------
    ParameterError
        When there is no such lesion or session, or it lies at no place.
    """
    if session not in {each.label for each in maps.sessions}:
        raise ParameterError(f"{session} is no session of sub-{drawing.patient_id} that lesions begin at")
    if not np.all(np.isfinite(point_mm)):
        raise ParameterError(f"the place of the onset is {point_mm}; mark it in the image")
    x, y, z = (float(value) for value in point_mm)
    if label is None:
        number = drawing.next_label()
        new = Lesion(number, free_id(drawing, number), session, onset, (x, y, z), enhancement)
        return Edit(f"mark the onset of {new.lesion_id}", (), (LesionChange(None, new),))
    before = _lesion(drawing, label)
    after = replace(
        before,
        onset_session=session,
        onset_point_mm=(x, y, z),
        onset=onset or before.onset,
        enhancement=enhancement or before.enhancement,
    )
    title = f"mark the onset of {before.lesion_id}"
    if before.onset_session == session:
        return Edit(title, (), (LesionChange(before, after),) if after != before else ())
    voxels, states = _taken_back(drawing, maps, label, session)
    return Edit(title, voxels, (LesionChange(before, after),), states)


def lost_by(drawing: Drawing, maps: PatientMaps, label: int, session: str) -> tuple[str, ...]:
    """Tell what is taken away when the onset of a lesion moves to another session, one sentence each."""
    lesion, out = _lesion(drawing, label), []
    for each in _no_longer_after(maps, session):
        plane = Plane.follow_up(each)
        if plane not in drawing.planes or drawing.box(plane, label) is None:
            continue
        edited = drawing.digest(plane, label) != drawing.follow_up(label, each).propagated
        what = "region, which was edited there," if edited else "propagated region"
        out.append(f"the {what} of {lesion.lesion_id} at {each} is taken away: {each} is not after its onset any more")
    if lesion.onset_session and lesion.onset_session != session:
        out.append(
            f"the onset region of {lesion.lesion_id} was drawn on {lesion.onset_session}; look at it on {session} again"
        )
    return tuple(out)


def at_baseline(maps: PatientMaps, session: str, contrast: str, point_mm: Point) -> Point:
    """Find where a point of an image of a session lies at the baseline, RAS+ mm.

    Raises
    ------
    ParameterError
        When the image is not aligned.
    """
    transform = maps.transform(session, contrast)
    if transform is None:
        raise ParameterError(
            f"the {contrast} of {session} is not aligned to the baseline, or may not be used; coregister it"
        )
    x, y, z = transform.inverse().apply(point_mm)
    return float(x), float(y), float(z)


def _taken_back(
    drawing: Drawing, maps: PatientMaps, label: int, session: str
) -> tuple[tuple[VoxelChange, ...], tuple[FollowUpChange, ...]]:
    voxels, states = [], []
    for each in _no_longer_after(maps, session):
        plane = Plane.follow_up(each)
        if plane in drawing.planes:
            change = voxels_set(plane, drawing.labels(plane), drawing.voxels(plane, label), 0)
            voxels += [] if change is None else [change]
        before = drawing.follow_up(label, each)
        if before in drawing.follow_ups:
            states.append(FollowUpChange(before, None))
    return tuple(voxels), tuple(states)


def _no_longer_after(maps: PatientMaps, session: str) -> tuple[str, ...]:
    return (*(each.label for each in maps.before(session)), session)


def _lesion(drawing: Drawing, label: int) -> Lesion:
    lesion = drawing.lesion(label)
    if lesion is None:
        raise ParameterError(f"there is no lesion {label}; mark a new one")
    return lesion
