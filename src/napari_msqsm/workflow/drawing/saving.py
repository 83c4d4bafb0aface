"""Save a drawing: every file whole, and none over one that somebody else changed."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError
from napari_msqsm.io.atomic import atomic_path
from napari_msqsm.io.nifti import save_volume
from napari_msqsm.workflow.drawing.plane_files import count_labels, fingerprint, sidecar_of
from napari_msqsm.workflow.drawing.stored import FileState
from napari_msqsm.workflow.drawing.tables import follow_ups_text, lesions_text
from napari_msqsm.workflow.provenance import software, write_json_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.lesion import FollowUp, Lesion
    from napari_msqsm.workflow.drawing.places import Places
    from napari_msqsm.workspace.drawing.plane import Plane


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What is to be saved, as it is at one moment.

    Parameters
    ----------
    labels, grids, sources
        (X, Y, Z) labels of the planes that changed, their grids, and the BIDS address of the image of each.
    lesions, follow_ups, more
        For the tables; see `napari_msqsm.workflow.drawing.tables`.
    """

    labels: Mapping[Plane, NDArray[np.uint16]]
    grids: Mapping[Plane, Grid]
    sources: Mapping[Plane, str]
    lesions: tuple[Lesion, ...]
    follow_ups: tuple[FollowUp, ...]
    more: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    @property
    def names(self) -> dict[int, str]:
        """Name of each lesion."""
        return {one.label: one.lesion_id for one in self.lesions}

    def texts(self, places: Places) -> dict[Path, bytes]:
        """Tables by file."""
        return {
            places.lesions: lesions_text(self.lesions, self.more).encode(),
            places.follow_ups: follow_ups_text(self.follow_ups, self.names).encode(),
        }


def write_snapshot(
    places: Places,
    snapshot: Snapshot,
    files: Mapping[str, FileState],
    announce: Callable[[Mapping[str, FileState]], None],
) -> dict[str, FileState]:
    """Write what changed.

    Parameters
    ----------
    places, snapshot
        What goes where.
    files
        States of the files as they were read or saved last.
    announce
        Told the state of every file of the drawing before the first of them is put in place.

    Returns
    -------
    dict
        States of the files after it.

    Raises
    ------
    InputError
        When somebody else changed a file since it was read; nothing is written.
    OSError
        When it cannot be written; files that are in place by then are whole.
    """
    planes = {
        places.plane(plane): plane
        for plane, labels in snapshot.labels.items()
        if labels.any() or places.relative(places.plane(plane)) in files
    }
    texts = {
        path: text
        for path, text in snapshot.texts(places).items()
        if hashlib.sha256(text).hexdigest() != files.get(places.relative(path), FileState("")).sha256
    }
    _refuse_changed(places, (*planes, *texts), files)
    after = dict(files)
    with ExitStack() as stack:
        for path, plane in planes.items():
            temporary = stack.enter_context(atomic_path(path))
            save_volume(temporary, snapshot.labels[plane], snapshot.grids[plane])
            after[places.relative(path)] = FileState(
                fingerprint(temporary), tuple(count_labels(snapshot.labels[plane]))
            )
        for path, text in texts.items():
            stack.enter_context(atomic_path(path)).write_bytes(text)
            after[places.relative(path)] = FileState(hashlib.sha256(text).hexdigest())
        announce(after)
    made_by = software(device="cpu", seed=0)
    for path, plane in planes.items():
        content = sidecar_of(
            plane, snapshot.labels[plane], snapshot.grids[plane], snapshot.names, snapshot.sources[plane]
        )
        write_json_file(path.with_name(path.name.replace(".nii.gz", ".json")), content | made_by)
    return after


def _refuse_changed(places: Places, paths: tuple[Path, ...], files: Mapping[str, FileState]) -> None:
    for path in paths:
        if fingerprint(path) != files.get(places.relative(path), FileState("")).sha256:
            raise InputError(
                f"{path.name} was changed by another program since it was read here, so that it is not written over; "
                "save under another name, or open the patient again and recover what was drawn"
            )
