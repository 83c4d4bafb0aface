"""Volumes of lesions on the FLAIR of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import MsqsmError
from napari_msqsm.lesions.volume import LesionVolume, lesion_volume
from napari_msqsm.model.grid import Grid
from napari_msqsm.workspace.drawing.plane import Plane

if TYPE_CHECKING:
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing

_REACH_MM, _REACH_VOXELS = 8.0, 3


@dataclass(frozen=True)
class FlairVolume:
    """Volume, and what has to be known of it.

    Parameters
    ----------
    volume
        None where the lesion was not drawn on this FLAIR.
    note
        Why it is not corrected for partial volume; empty where it is.
    """

    volume: LesionVolume | None
    note: str = ""


def flair_volumes(drawing: Drawing, maps: PatientMaps, session: str) -> dict[tuple[int, str], FlairVolume]:
    """Measure the volumes of all lesions as they were drawn on the raw FLAIR of a session, by label and session.

    All of one session at once: there may be more FLAIR images than are kept in memory.
    """
    plane = Plane.flair(session)
    labels = drawing.labels_on(plane) if plane in drawing.planes else ()
    return {(label, session): _flair_volume(drawing, maps, label, session) for label in labels}


def _flair_volume(drawing: Drawing, maps: PatientMaps, label: int, session: str) -> FlairVolume:
    plane = Plane.flair(session)
    box = drawing.box(plane, label)
    if box is None:
        return FlairVolume(None)
    grid = drawing.grid(plane)
    count_mm3 = drawing.voxels(plane, label).size * grid.voxel_volume_mm3
    try:
        found = maps.contrast(session, "FLAIR")
    except MsqsmError as error:
        return FlairVolume(LesionVolume(count_mm3, None), str(error))
    if found is None:
        return FlairVolume(LesionVolume(count_mm3, None), "there is no FLAIR")
    image, _ = found
    about = tuple(
        slice(max(0, part.start - reach), min(n, part.stop + reach))
        for part, n, reach in zip(
            box,
            grid.shape,
            (int(np.ceil(_REACH_MM / step)) + _REACH_VOXELS for step in grid.voxel_size_mm),
            strict=True,
        )
    )
    labels = drawing.labels(plane)[about]
    crop = Grid(labels.shape, grid.affine)
    measured = lesion_volume(image[about], labels == label, (labels != 0) & (labels != label), crop)
    return FlairVolume(LesionVolume(count_mm3, measured.partial_mm3, measured.reason), measured.reason)
