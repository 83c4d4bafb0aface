"""Open a patient to draw: the lock, the files, the journal, and what was not saved last time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.workflow.drawing.open_drawing import OpenDrawing
from napari_msqsm.workflow.drawing.places import Places
from napari_msqsm.workflow.drawing.recovery import files_of, newest_segment, recovery_of, unsaved_part
from napari_msqsm.workflow.drawing.stored import grids_of, load_plane, stored_of
from napari_msqsm.workflow.workbench.maps import PatientMaps
from napari_msqsm.workspace.drawing.drawing import Drawing
from napari_msqsm.workspace.drawing.lock import UNKNOWN, take

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.model.study import Patient, Study


def open_drawing(
    study: Study, patient: Patient | str, *, reader: str, out_dir: Path | None = None, maps: PatientMaps | None = None
) -> OpenDrawing:
    """Open the drawing of a patient.

    Parameters
    ----------
    study, patient
        Whose; a patient also by identifier.
    reader
        Initials of who draws.
    out_dir
        Root of the derivatives; ``derivatives/msqsm`` of the study when not given.
    maps
        Images of the patient, where they are at hand.

    Returns
    -------
    OpenDrawing
        Read-only (``drawing.read_only`` says why) where another window has the patient, where its folder cannot be
        written to, and until ``recover`` or ``discard`` was called where drawings were not saved last time.

    Raises
    ------
    InputError
        When a file cannot be used, or there is no grid to draw on; the lock is free then.
    """
    maps = maps or PatientMaps(study, patient, out_dir=out_dir)
    places = Places(out_dir or study.derivatives_root, maps.patient.patient_id)
    grids, notes = grids_of(maps)
    problem = ""
    try:
        lock, other = take(places.lock, reader)
    except OSError as error:
        lock, other = None, None
        problem = f"{places.home} cannot be written to ({error.strerror}); the drawing is shown and cannot be changed"
    try:
        segment = newest_segment(places.journal)
        sessions = tuple(session.label for session in maps.patient.sessions)
        stored = stored_of(places, grids, sessions, files_of(segment))
        recovery = None
        if segment is not None:
            segment = unsaved_part(segment, stored.files)
            recovery = recovery_of(places, segment, stored.files, {one.label: one.lesion_id for one in stored.lesions})
        if lock is not None and other is not None:
            who = f"{other.initials or 'somebody'} ({other.host})"
            notes = (*notes, f"{who} did not close this patient; it is yours now")
        drawing = Drawing(
            places.patient_id,
            grids,
            load=lambda plane: load_plane(places, plane, grids[plane], stored.files),
            lesions=stored.lesions,
            follow_ups=stored.follow_ups,
            reader=reader,
            highest_label=stored.highest_label,
            notes=(*notes, *stored.notes),
        )
        if lock is None:
            drawing.read_only = problem or f"{(other or UNKNOWN).sentence}; close it there to draw here"
        held_by = other if lock is None else None
        return OpenDrawing(study, maps, places, drawing, stored, segment, lock, held_by, recovery)
    except BaseException:
        if lock is not None:
            lock.release()
        raise
