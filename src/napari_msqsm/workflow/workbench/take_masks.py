"""Masks that exist already become lesions with one label in all sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import InputError, ParameterError, ShapeMismatchError
from napari_msqsm.io.label_images import LabelImage, load_label_image
from napari_msqsm.lesions.label_cloud import LabelCloud
from napari_msqsm.model.lesion import MOST_LESIONS, Lesion, lesion_id_of
from napari_msqsm.workflow.bring_in.label_names import Program, program_of
from napari_msqsm.workflow.bring_in.mask_values import lesions_from, region_of
from napari_msqsm.workflow.bring_in.placement import place
from napari_msqsm.workflow.workbench.same_lesions import Same, same_lesions
from napari_msqsm.workflow.workbench.tracking import cloud_of
from napari_msqsm.workspace.drawing.edit import Edit, LesionChange, VoxelChange
from napari_msqsm.workspace.drawing.plane import Plane

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing

_UNKNOWN = Program("unknown", "")


@dataclass(frozen=True, eq=False)
class Taken:
    """What taking a mask does.

    Parameters
    ----------
    edit
        Not applied.
    session
        On whose FLAIR.
    same
        Each lesion of the mask: its number there, and the label that it gets.
    new
        Labels of lesions that are new.
    notes
        What was found and done, one sentence each.
    """

    edit: Edit
    session: str
    same: tuple[Same, ...]
    new: tuple[int, ...]
    notes: tuple[str, ...]


def take_file(
    drawing: Drawing,
    maps: PatientMaps,
    session: str,
    path: Path,
    *,
    split: bool = False,
    labels: Sequence[int] | None = None,
    threshold: float | None = None,
) -> Taken:
    """Take the lesions of an image on disk; parameters as in `take_labels` and `adopt_mask`.

    Raises
    ------
    InputError, ParameterError
        When it cannot be used, or does not lie on the grid of the session's FLAIR.
    """
    flair = maps.session(session).contrasts.get("FLAIR")
    if flair is None:
        raise InputError(f"{session} has no FLAIR that lesions could lie on")
    program, found = program_of(path), load_label_image(path)
    _, volume = place(found.volume, {"FLAIR": flair}, what=f"mask {path}", prefer="FLAIR")
    region, notes = region_of(LabelImage(volume, found.content), "lesions", program, labels=labels, threshold=threshold)
    numbers, _, more = lesions_from(region, program, voxel_volume_mm3=volume.grid.voxel_volume_mm3, split=split)
    return _taken(drawing, maps, session, numbers, (*volume.assumptions, *notes, *more), path.name)


def take_labels(
    drawing: Drawing, maps: PatientMaps, session: str, numbers: NDArray[Any], *, split: bool = False
) -> Taken:
    """Take the lesions of a label image.

    Parameters
    ----------
    drawing, maps
        Of the patient.
    session
        BIDS name of the session on whose FLAIR the image lies.
    numbers
        (X, Y, Z) whole numbers on the grid of that FLAIR: one number for all lesions, which are then told apart by
        touching voxels; otherwise one for each lesion.
    split
        Whether lesions are told apart by touching voxels whatever their numbers.

    Returns
    -------
    Taken
        A lesion at the place of one that is drawn at another session (or was drawn here before) gets its label; a new
        one keeps its number where that is free, and gets a new one otherwise. What is drawn already stays.

    Raises
    ------
    InputError
        When nothing is in it, or it does not lie on that grid.
    ParameterError
        When there would be too many lesions.
    """
    region = np.asarray(numbers).astype(np.int32)
    grid = drawing.grid(Plane.flair(session))
    if region.shape != grid.shape:
        raise ShapeMismatchError(f"the mask has shape {region.shape} but the FLAIR of {session} has {grid.shape}")
    if not region.any():
        raise InputError("the mask is empty; give one with at least one voxel")
    own, _, notes = lesions_from(region, _UNKNOWN, voxel_volume_mm3=grid.voxel_volume_mm3, split=split)
    return _taken(drawing, maps, session, own, notes, "mask")


def _taken(
    drawing: Drawing, maps: PatientMaps, session: str, numbers: NDArray[np.int32], notes: tuple[str, ...], name: str
) -> Taken:
    plane = Plane.flair(session)
    transform = maps.transform(session, "FLAIR")
    same: tuple[Same, ...] = tuple(Same(int(number), 0) for number in np.unique(numbers[numbers > 0]))
    if transform is None:
        notes += (f"the FLAIR of {session} is not aligned: its lesions could not be compared with other sessions",)
    else:
        strange = LabelCloud(numbers, drawing.grid(plane), transform)
        clouds = (cloud_of(drawing, maps, other) for other in nearest_sessions(maps, session))
        same = same_lesions(strange, (each for each in clouds if isinstance(each, LabelCloud)))
    label_of, new = _labels(drawing, same)
    table = np.zeros(int(numbers.max()) + 1, np.uint16)
    for number, label in label_of.items():
        table[number] = label
    live = drawing.labels(plane).reshape(-1)
    index = np.flatnonzero((numbers.reshape(-1) > 0) & (live == 0))
    kept = int(np.count_nonzero((numbers.reshape(-1) > 0) & (live > 0) & (table[numbers.reshape(-1)] != live)))
    change = VoxelChange(plane, index, live[index], table[numbers.reshape(-1)[index]])
    lesions = tuple(
        LesionChange(None, Lesion(label, free_id(drawing, label)))
        for label in sorted(set(label_of.values()))
        if drawing.lesion(label) is None
    )
    edit = Edit(f"take {name} at {session}", (change,) if index.size else (), lesions)
    told = _told(drawing, same, label_of, new)
    if kept:
        told += (f"{kept} voxels belong to other lesions that are drawn there and stay theirs",)
    return Taken(edit, session, same, new, (*notes, *told))


def nearest_sessions(maps: PatientMaps, session: str) -> tuple[str, ...]:
    """Sessions to compare one with: itself, then the nearest in order, earlier ones first."""
    labels = [each.label for each in maps.sessions]
    if session not in labels:
        return tuple(labels)
    here = labels.index(session)
    return tuple(sorted(labels, key=lambda label: (abs(labels.index(label) - here), labels.index(label))))


def _labels(drawing: Drawing, same: tuple[Same, ...]) -> tuple[dict[int, int], tuple[int, ...]]:
    """Label of each number, and which labels are new."""
    label_of, new = {each.number: each.label for each in same if each.label}, []
    free, several = drawing.next_label(), len(same) > 1
    taken = set(label_of.values())
    for each in same:
        if each.label:
            continue
        label = each.number if several and each.number >= free and each.number not in taken else 0
        if not label:
            label = max([free, *(other + 1 for other in taken if other >= free)])
        if label > MOST_LESIONS:
            raise ParameterError(f"a patient can have {MOST_LESIONS} lesions; take fewer")
        label_of[each.number] = label
        taken.add(label)
        new.append(label)
    return label_of, tuple(new)


def free_id(drawing: Drawing, label: int) -> str:
    """Name of a new lesion that no other one has."""
    names, name = {lesion.lesion_id for lesion in drawing.lesions}, lesion_id_of(drawing.patient_id, label)
    while name in names:
        name += "b"
    return name


def _told(drawing: Drawing, same: tuple[Same, ...], label_of: dict[int, int], new: tuple[int, ...]) -> tuple[str, ...]:
    def name(label: int) -> str:
        lesion = drawing.lesion(label)
        return lesion.lesion_id if lesion is not None else lesion_id_of(drawing.patient_id, label)

    out = [
        f"{len(same) - len(new)} of {len(same)} lesions are known from other sessions or drawings, {len(new)} are new"
    ]
    for each in same:
        own, others = name(label_of[each.number]), ", ".join(name(label) for label in each.others)
        if each.others and not each.label:
            out.append(f"{own} is new, at the place of {others}: it may have split off")
        elif each.others:
            out.append(f"{own} also covers the place of {others}: they may have merged")
    return tuple(out)
