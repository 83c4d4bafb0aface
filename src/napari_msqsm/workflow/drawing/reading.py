"""Read a drawing to measure it: no lock, nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.workflow.drawing.places import Places
from napari_msqsm.workflow.drawing.recovery import files_of, newest_segment, recovery_of, unsaved_part
from napari_msqsm.workflow.drawing.stored import grids_of, load_plane, stored_of
from napari_msqsm.workflow.workbench.maps import PatientMaps
from napari_msqsm.workspace.drawing.drawing import Drawing

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.model.study import Patient, Study

_READ_ONLY = "this drawing was read to be measured; open the patient to draw"


def read_drawing(
    study: Study, patient: Patient | str, out_dir: Path | None = None, *, maps: PatientMaps | None = None
) -> Drawing:
    """Read the saved drawing of a patient.

    Parameters
    ----------
    study, patient
        Whose; a patient also by identifier.
    out_dir
        Root of the derivatives; ``derivatives/msqsm`` of the study when not given.
    maps
        Images of the patient, where they are at hand.

    Returns
    -------
    Drawing
        Read-only; the label images are read when they are asked for. ``notes`` says what was assumed: labels without a
        row in the table of lesions, a table that is missing, drawings that were not saved yet and are not in it.

    Raises
    ------
    InputError
        When a file cannot be used, or there is no grid to draw on.
    """
    maps = maps or PatientMaps(study, patient, out_dir=out_dir)
    places = Places(out_dir or study.derivatives_root, maps.patient.patient_id)
    grids, notes = grids_of(maps)
    segment = newest_segment(places.journal)
    sessions = tuple(session.label for session in maps.patient.sessions)
    stored = stored_of(places, grids, sessions, files_of(segment))
    if segment is not None:
        names = {one.label: one.lesion_id for one in stored.lesions}
        recovery = recovery_of(places, unsaved_part(segment, stored.files), stored.files, names)
        if recovery is not None:
            notes = (*notes, f"{recovery.sentence}; they are not in what is measured: open the patient and save")
    drawing = Drawing(
        places.patient_id,
        grids,
        load=lambda plane: load_plane(places, plane, grids[plane], stored.files),
        lesions=stored.lesions,
        follow_ups=stored.follow_ups,
        highest_label=stored.highest_label,
        notes=(*notes, *stored.notes),
    )
    drawing.read_only = _READ_ONLY
    return drawing
