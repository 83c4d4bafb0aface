"""What is on disk of a patient's drawing: tables, and which labels each image holds, with the digest of every file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError
from napari_msqsm.io.nifti import load_grid
from napari_msqsm.model.lesion import Lesion, lesion_id_of
from napari_msqsm.workflow.drawing.plane_files import count_labels, fingerprint, read_labels
from napari_msqsm.workflow.drawing.tables import read_follow_ups, read_lesions
from napari_msqsm.workspace.drawing.plane import NAWM, ONSET, VEIN, Plane, PlaneKind
from napari_msqsm.workspace.freshness import read_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.lesion import FollowUp
    from napari_msqsm.workflow.drawing.places import Places
    from napari_msqsm.workflow.workbench.maps import PatientMaps

_LESION_PLANES = (PlaneKind.FLAIR, PlaneKind.ONSET, PlaneKind.FOLLOW_UP)


@dataclass(frozen=True)
class FileState:
    """A file as it was read.

    Parameters
    ----------
    sha256
        Of its content; empty where there is no file.
    labels
        Labels that the image holds.
    """

    sha256: str
    labels: tuple[int, ...] = ()


@dataclass(frozen=True)
class Stored:
    """What is on disk.

    Parameters
    ----------
    lesions, follow_ups, more
        Of the tables; see `napari_msqsm.workflow.drawing.tables`.
    files
        State of every file that there is, by its path below the patient's folder.
    highest_label
        That occurs anywhere.
    notes
        What was assumed.
    """

    lesions: tuple[Lesion, ...]
    follow_ups: tuple[FollowUp, ...]
    more: Mapping[int, Mapping[str, str]] = field(hash=False)
    files: Mapping[str, FileState] = field(hash=False)
    highest_label: int
    notes: tuple[str, ...]


def grids_of(maps: PatientMaps) -> tuple[dict[Plane, Grid], tuple[str, ...]]:
    """Grid of every plane that a patient can have; and which are left out since their image cannot be read."""
    grids: dict[Plane, Grid] = {}
    notes = []
    for session in maps.sessions:
        path = session.contrasts.get("FLAIR")
        if path is not None:
            try:
                grids[Plane.flair(session.label)] = load_grid(path, what="FLAIR")
            except InputError as error:
                notes.append(f"{error}; nothing can be drawn on it")
    grids |= dict.fromkeys((ONSET, VEIN, NAWM), maps.grid)
    grids |= {Plane.follow_up(session.label): maps.grid for session in maps.sessions if session.session_id}
    return grids, tuple(notes)


def stored_of(
    places: Places, grids: Mapping[Plane, Grid], sessions: tuple[str, ...], known: Mapping[str, FileState] | None = None
) -> Stored:
    """Read the tables, and find which labels the images hold.

    Parameters
    ----------
    places, grids
        Of the patient.
    sessions
        BIDS names of all sessions of the patient.
    known
        States of files that were found earlier; an image that still has the digest is not read again.

    Raises
    ------
    InputError
        When a file cannot be used.
    """
    files: dict[str, FileState] = {}
    for path in (places.lesions, places.follow_ups):
        if path.is_file():
            files[places.relative(path)] = FileState(fingerprint(path))
    table = read_lesions(places.lesions, places.patient_id, sessions)
    follow_ups = read_follow_ups(places.follow_ups, sessions)
    unnamed: dict[int, list[str]] = {}
    for plane, grid in grids.items():
        path = places.plane(plane)
        if not path.is_file():
            continue
        name, sha256 = places.relative(path), fingerprint(path)
        before = (known or {}).get(name)
        labels = before.labels if before and before.sha256 == sha256 else tuple(count_labels(read_labels(path, grid)))
        files[name] = FileState(sha256, labels)
        if plane.kind in _LESION_PLANES:
            for label in labels:
                unnamed.setdefault(label, []).append(path.name)
    for one in table.lesions:
        unnamed.pop(one.label, None)
    notes = (*_told(places, unnamed), *_numbered_apart(places, grids))
    taken = {one.lesion_id for one in table.lesions}
    new = [Lesion(label, _name(places.patient_id, label, taken)) for label in sorted(unnamed)]
    highest = max((label for state in files.values() for label in state.labels), default=0)
    return Stored((*table.lesions, *new), follow_ups, table.more, files, highest, notes)


def load_plane(places: Places, plane: Plane, grid: Grid, files: Mapping[str, FileState]) -> NDArray[np.uint16] | None:
    """Labels of a plane as they were found; None where there were none.

    Raises
    ------
    InputError
        When the file cannot be used, or was changed since.
    """
    path = places.plane(plane)
    name = places.relative(path)
    found = files.get(name, FileState(""))
    if fingerprint(path) != found.sha256:
        raise InputError(f"{path} was changed by another program since the patient was opened; open the patient again")
    return read_labels(path, grid) if found.sha256 else None


def _told(places: Places, unnamed: Mapping[int, list[str]]) -> tuple[str, ...]:
    if not unnamed:
        return ()
    labels = ", ".join(str(label) for label in sorted(unnamed)[:12]) + (" …" if len(unnamed) > 12 else "")
    files = ", ".join(sorted({name for names in unnamed.values() for name in names})[:4])
    why = "have no row in" if places.lesions.is_file() else "are taken as they are, without onset: there is no table"
    return (
        f"{len(unnamed)} label{'s' * (len(unnamed) > 1)} ({labels}) of {files} {why} {places.lesions.name}; "
        "they are lesions now, and their onset is to be given",
    )


def _numbered_apart(places: Places, grids: Mapping[Plane, Grid]) -> tuple[str, ...]:
    """Masks that were taken from elsewhere at several sessions, each with numbers of its own."""
    adopted = []
    for plane in grids:
        path = places.plane(plane)
        record = read_record(path.with_name(path.name.replace(".nii.gz", ".json"))) if path.is_file() else None
        if plane.kind == PlaneKind.FLAIR and record is not None and record.get("Adopted"):
            adopted.append(plane.session)
    if len(adopted) < 2:
        return ()
    return (
        f"the masks of {', '.join(adopted)} were taken from elsewhere and number their lesions each for itself: one "
        "label may be another lesion at another session until they are matched and saved",
    )


def _name(patient_id: str, label: int, taken: set[str]) -> str:
    name = lesion_id_of(patient_id, label)
    while name in taken:
        name += "b"
    taken.add(name)
    return name
