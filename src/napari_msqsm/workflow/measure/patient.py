"""All lesions of one patient, measured at all of its sessions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm.errors import CancelledError
from napari_msqsm.lesions.local_shift import MISALIGNED_MM
from napari_msqsm.settings import flat
from napari_msqsm.workflow.measure.flair_volume import flair_volumes
from napari_msqsm.workflow.measure.lesion_rows import measure_lesion
from napari_msqsm.workflow.measure.measuring import Measuring
from napari_msqsm.workflow.measure.patient_table import PatientTable
from napari_msqsm.workflow.reference.settings import ReferenceSettings
from napari_msqsm.workflow.workbench.local_shift import shift_at

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping

    from napari_msqsm.model.lesion import Lesion
    from napari_msqsm.workflow.measure.flair_volume import FlairVolume
    from napari_msqsm.workflow.measure.roi import Roi
    from napari_msqsm.workflow.measure.row import LesionRow
    from napari_msqsm.workflow.reference.references import References
    from napari_msqsm.workflow.reference.region import ReferenceRegion
    from napari_msqsm.workflow.tasks import OnProgress
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing


def measure_patient(
    drawing: Drawing,
    maps: PatientMaps,
    *,
    references: References | None = None,
    look_for_outdated: bool = True,
    look_for_shifts: bool = True,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> PatientTable:
    """Measure every lesion of a drawing at every session; nothing is written.

    Parameters
    ----------
    drawing
        The drawing, as saved or live.
    maps
        Images of the patient.
    references
        Of the same drawing, where they were found before.
    look_for_outdated
        Whether each map is compared with its inputs; reads every input once.
    look_for_shifts
        Whether each lesion is aligned on its own at every later session, to flag where it lies beside its region; takes
        some tenths of a second for each.
    on_progress
        Called with what is being done and the fraction that is done, 0…1.
    cancel
        When set, the work stops before the next lesion.

    Raises
    ------
    CancelledError
        When it was cancelled.
    """
    measuring = Measuring(drawing, maps, references)
    notes: list[str] = list(drawing.notes)

    def report(message: str, fraction: float) -> None:
        if cancel is not None and cancel.is_set():
            raise CancelledError(f"cancelled during: {message}")
        if on_progress is not None:
            on_progress(message, fraction)

    session_flags: dict[str, frozenset[str]] = {}
    volumes: dict[tuple[int, str], FlairVolume] = {}
    for index, images in enumerate(measuring.sessions):
        label = images.session.label
        report(f"read {label}", 0.3 * index / len(measuring.sessions))
        _ = images.flags
        volumes |= flair_volumes(drawing, maps, label)
        if look_for_outdated and images.outdated:
            session_flags[label] = frozenset({"outdated_map"})
            notes.append(f"the map of {label} is outdated: {images.outdated[0]}; reconstruct it again")
        if images.session.date is None:
            notes.append(f"{label} has no date: lesion ages cannot be told (acq_time in sessions.tsv)")
    rows: list[LesionRow] = []
    rois: dict[tuple[int, str], Roi] = {}
    sources: dict[str, dict[str, str]] = {}
    used: dict[int, ReferenceRegion | None] = {}
    for index, lesion in enumerate(drawing.lesions):
        done = 0.3 + 0.7 * index / len(drawing.lesions)
        report(f"measure {lesion.lesion_id}", done)
        more_flags = dict(session_flags)
        if look_for_shifts:
            for session, sentence in _misaligned(measuring, lesion, lambda message: report(message, done)):  # noqa: B023
                more_flags[session] = more_flags.get(session, frozenset()) | {"misaligned"}
                notes.append(sentence)
        one = measure_lesion(measuring, lesion, volumes=volumes, more_flags=more_flags)
        rows += one.rows
        rois |= one.rois
        sources[lesion.lesion_id], used[lesion.label] = one.covariates.sources, one.reference
        notes += one.notes
    rescans = tuple(each.label for each in maps.patient.sessions if each not in maps.sessions)
    notes += [f"{label} repeats another session and is left out" for label in rescans]
    notes += measuring.notes
    notes += _other_settings(references)
    if used:
        notes += _of_references(measuring, drawing, used)
    return PatientTable(maps.patient.patient_id, tuple(rows), rois, used, sources, tuple(dict.fromkeys(notes)), rescans)


def _other_settings(references: References | None) -> list[str]:
    """Say which settings of the reference are not the defaults."""
    if references is None:
        return []
    usual, chosen = flat(ReferenceSettings()), flat(references.settings)
    told = [f"{name}={value}" for name, value in chosen.items() if value != usual.get(name)]
    return [f"references were found with {', '.join(told)}"] if told else []


def _misaligned(measuring: Measuring, lesion: Lesion, report: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """Sessions at which the tissue about a lesion lies beside its region, and a sentence about each."""
    known = measuring.images(lesion.onset_session) is not None
    later = {each.label for each in measuring.maps.after(lesion.onset_session)} if known else set()
    for images in measuring.sessions:
        session = images.session.label
        if session not in later:
            continue
        report(f"{lesion.lesion_id} at {session}: local alignment")
        found = shift_at(measuring.drawing, measuring.maps, lesion.label, session)
        if found.shift is None or not found.shift.misaligned:
            continue
        accepted = measuring.drawing.follow_up(lesion.label, session).shift_mm or (0.0, 0.0, 0.0)
        if math.dist(accepted, found.shift.shift_mm) > MISALIGNED_MM:
            yield session, f"{lesion.lesion_id} at {session}: {found.words}"


def _of_references(measuring: Measuring, drawing: Drawing, used: Mapping[int, ReferenceRegion | None]) -> list[str]:
    """Say what has to be known of the references."""
    notes = []
    for label, region in used.items():
        lesion = drawing.lesion(label)
        if region is not None and lesion is not None:
            notes += [f"{lesion.lesion_id}: reference: {note}" for note in region.notes]
    if any(region is not None and not region.missing and region.how != "painted" for region in used.values()):
        notes += [f"reference: {note}" for note in measuring.references.white_matter.notes]
    return notes
