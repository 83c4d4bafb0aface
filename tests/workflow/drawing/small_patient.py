"""A small patient on disk: three sessions with a gradient echo and a FLAIR each; and edits of every kind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.lesion import Lesion, lesion_id_of
from napari_msqsm.workspace.drawing.edit import Edit, FollowUpChange, LesionChange, voxels_set
from napari_msqsm.workspace.drawing.plane import ONSET, VEIN, Plane

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.workspace.drawing.drawing import Drawing

GRE = Grid((9, 8, 5), np.diag([0.75, 0.75, 3.0, 1.0]))
FLAIR = Grid((8, 9, 7), np.array([[-1, 0, 0, 4], [0, 0.98, -0.17, 1], [0, 0.17, 0.98, -2], [0, 0, 0, 1.0]]))
SESSIONS = ("sub-01_ses-01", "sub-01_ses-02", "sub-01_ses-03")
PLANES = (Plane.flair(SESSIONS[0]), Plane.flair(SESSIONS[1]), ONSET, VEIN, Plane.follow_up(SESSIONS[1]))

_NO_PROCESS = 4_194_305
"""More than Linux hands out."""
_KINDS = {"new": 0.1, "stroke": 0.3, "take": 0.2, "remark": 0.1, "review": 0.1, "undo": 0.12, "redo": 0.08}


def make_patient(root: Path) -> None:
    """Write the study."""
    for number, label in enumerate(SESSIONS, start=1):
        anat = root.joinpath(*label.split("_")) / "anat"
        anat.mkdir(parents=True)
        for name, grid in ((f"{label}_echo-1_part-mag_MEGRE", GRE), (f"{label}_FLAIR", FLAIR)):
            image = np.arange(np.prod(grid.shape), dtype=np.float32).reshape(grid.shape) + number
            nib.save(nib.Nifti1Image(image, grid.affine), anat / f"{name}.nii.gz")
    (root / "dataset_description.json").write_text('{"Name": "test", "BIDSVersion": "1.10.0"}', "utf-8")


def blocks(shape, *labels):
    """Labels in columns of two voxels each."""
    out = np.zeros(shape, np.uint16)
    for number, label in enumerate(labels):
        out[2 * number : 2 * number + 2, 1:3, 1:3] = label
    return out


def stroke(drawing: Drawing, plane: Plane, label: int, voxels) -> Edit | None:
    """Edit that gives voxels a label; None where they have it."""
    change = voxels_set(plane, drawing.labels(plane), np.array(sorted(voxels)), label)
    return None if change is None else Edit(f"brush {label}", (change,))


def draw_at_random(drawing: Drawing, rng: np.random.Generator) -> None:
    """One step: a new lesion with a stroke, a stroke, a remark, a review, an undo or a redo."""
    kind = rng.choice(
        ["new", "stroke", "take", "remark", "review", "undo", "redo"], p=[0.1, 0.3, 0.2, 0.1, 0.1, 0.12, 0.08]
    )
    lesions = drawing.lesions
    if kind == "undo":
        drawing.undo()
        return
    if kind == "redo":
        drawing.redo()
        return
    if kind == "new" or not lesions:
        label = drawing.next_label()
        lesion = _new(drawing, label)
        change = _random_voxels(drawing, rng, label)
        drawing.apply(Edit("new lesion", (change,) if change else (), (LesionChange(None, lesion),)))
        return
    lesion = lesions[rng.integers(len(lesions))]
    if kind == "remark":
        after = replace(
            lesion, note=f"seen\t{rng.integers(99)}\nagain", onset_point_mm=tuple(rng.normal(size=3).tolist())
        )
        drawing.apply(Edit("note", lesions=(LesionChange(lesion, after),)))
    elif kind == "review":
        state = drawing.follow_up(lesion.label, SESSIONS[1])
        after = replace(state, reviewed_by="AB", shift_mm=tuple(rng.normal(size=3).tolist()))
        drawing.apply(Edit("review", follow_ups=(FollowUpChange(state, after),)))
    else:
        label = 0 if rng.random() < 0.2 else lesion.label
        change = _random_voxels(drawing, rng, label)
        if change is None:
            return
        if kind == "take":
            drawing.labels(change.plane).reshape(-1)[change.index] = change.after
            drawing.take(Edit("brush", (change,)))
        else:
            drawing.apply(Edit("brush", (change,)))


def _new(drawing: Drawing, label: int) -> Lesion:
    from napari_msqsm.model.lesion import Lesion

    return Lesion(
        label, lesion_id_of(drawing.patient_id, label), onset_session=SESSIONS[0], onset="new", central_vein=True
    )


def _random_voxels(drawing: Drawing, rng: np.random.Generator, label: int):
    plane = PLANES[rng.integers(len(PLANES))]
    labels = drawing.labels(plane)
    return voxels_set(plane, labels, rng.choice(labels.size, size=rng.integers(1, 30), replace=False), label)


def content(drawing: Drawing):
    """Everything that a drawing holds, to be compared."""
    planes = {plane: drawing.labels(plane).copy() for plane in PLANES}
    return {plane: array.tobytes() for plane, array in planes.items()}, drawing.lesions, drawing.follow_ups


def history(drawing: Drawing):
    """The steps that can be taken back and done again, to be compared."""
    return tuple(tuple(map(_plain, edits)) for edits in (drawing.history.done, drawing.history.undone))


def _plain(edit: Edit):
    voxels = tuple((v.plane, v.index.tobytes(), v.before.tobytes(), v.after.tobytes()) for v in edit.voxels)
    return edit.title, edit.at, edit.by, voxels, edit.lesions, edit.follow_ups


def draw(work, n, seed=0):
    """Draw steps of every kind."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        draw_at_random(work.drawing, rng)


def crash(work):
    """End as a killed process does: nothing is flushed or released, and the lock is that of a process that is gone."""
    work._keeping.journal.close()
    path = work.places.lock
    text = path.read_text("utf-8")
    path.write_text(text.replace(f'"pid": {work._lock.holder.pid}', f'"pid": {_NO_PROCESS}'), "utf-8")
    work._lock = None
