"""The true lesions of a synthetic study, drawn as a reader would have: for the demonstration and for tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_msqsm.io.tables import read_table
from napari_msqsm.model.lesion import Lesion, lesion_id_of
from napari_msqsm.workflow.drawing.opening import open_drawing
from napari_msqsm.workflow.drawing.plane_files import read_labels
from napari_msqsm.workflow.summary import TRUTH
from napari_msqsm.workflow.workbench.carry import carry, carry_plan
from napari_msqsm.workflow.workbench.maps import PatientMaps
from napari_msqsm.workflow.workbench.propagate import propagate, propagation_plan
from napari_msqsm.workspace.drawing.edit import Edit, LesionChange, changed_voxels
from napari_msqsm.workspace.drawing.plane import Plane

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_msqsm.model.lesion import Enhancement, Onset
    from napari_msqsm.model.study import Patient, Study
    from napari_msqsm.workspace.drawing.drawing import Drawing

READER = "truth"
"""Stands for the initials of a reader."""


@dataclass(frozen=True)
class StandIn:
    """What was drawn.

    Parameters
    ----------
    lesions
        How many; 0 where the study holds no truth, or where lesions are drawn already, which stay as they are.
    notes
        What was not possible, one sentence each.
    """

    lesions: int
    notes: tuple[str, ...] = ()


def draw_truth(study: Study, patient: Patient | str, *, out_dir: Path | None = None) -> StandIn:
    """Draw the true lesions on every FLAIR, carry them over from their onset, propagate and save them.

    Everything but the voxels on FLAIR and the onset goes the way of a reader's drawing. Nothing is reviewed.

    Raises
    ------
    InputError
        When the patient has no grid to draw on, a file cannot be used, or somebody has the patient open.
    """
    maps = PatientMaps(study, patient, out_dir=out_dir)
    home = study.root / "derivatives" / TRUTH
    about = home / f"sub-{maps.patient.patient_id}" / f"sub-{maps.patient.patient_id}_lesions.tsv"
    if not about.is_file():
        return StandIn(0)
    opened = open_drawing(study, maps.patient, reader=READER, out_dir=out_dir, maps=maps)
    try:
        drawing = opened.drawing
        if drawing.lesions or opened.recovery is not None:
            return StandIn(0)
        for lesion in _lesions(about, maps):
            drawing.apply(Edit(f"onset of {lesion.lesion_id}", lesions=(LesionChange(None, lesion),)))
        for session in maps.sessions:
            path = home.joinpath(*session.label.split("_")) / "anat"
            _draw(drawing, session.label, path / f"{session.label}_space-FLAIR_desc-lesions_dseg.nii.gz")
        notes = _carry(drawing, maps)
        opened.save()
        return StandIn(len(drawing.lesions), tuple(notes))
    finally:
        opened.close(anyway=True)


def _lesions(about: Path, maps: PatientMaps) -> list[Lesion]:
    """Lesions by number, with their onset: the session at which they enhance."""
    table = read_table(about, text_columns=("session_id", "enhancement"))
    sessions = [session.label for session in maps.sessions]
    found: dict[int, Lesion] = {}
    for row in table.to_dict("records"):
        number, session = int(row["lesion_id"]), f"sub-{maps.patient.patient_id}_{row['session_id']}"
        kinds: Mapping[str, Enhancement] = {"nodular": "nodular", "shell": "shell"}
        lesion = found.setdefault(
            number,
            Lesion(
                number,
                lesion_id_of(maps.patient.patient_id, number),
                enhancement=kinds.get(str(row["enhancement"])),
                central_vein=bool(row["central_vein"]),
            ),
        )
        if row["enhances"] and session in sessions:
            onset: Onset = "new" if session != sessions[0] else "no earlier scan"
            found[number] = replace(lesion, onset_session=session, onset=onset)
    return [found[number] for number in sorted(found)]


def _draw(drawing: Drawing, session: str, path: Path) -> None:
    plane = Plane.flair(session)
    if not path.is_file() or plane not in drawing.planes:
        return
    change = changed_voxels(plane, drawing.labels(plane), read_labels(path, drawing.grid(plane)))
    if change is not None:
        drawing.apply(Edit(f"draw on FLAIR of {session}", (change,)))


def _carry(drawing: Drawing, maps: PatientMaps) -> list[str]:
    notes = []
    for lesion in drawing.lesions:
        plan = carry_plan(drawing, maps, lesion.label)
        if plan.action == "not possible":
            notes.append(f"{lesion.lesion_id} was not carried over: {plan.reason}")
            continue
        drawing.apply(carry(drawing, plan))
        to_come = propagation_plan(drawing, maps, lesion.label)
        if not to_come.refused:
            drawing.apply(propagate(drawing, to_come))
    return notes
