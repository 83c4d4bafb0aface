"""Save a drawing beside the files that somebody else changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.io.atomic import atomic_path
from napari_msqsm.io.nifti import save_volume
from napari_msqsm.workflow.drawing.plane_files import sidecar_of
from napari_msqsm.workflow.provenance import software

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.workflow.drawing.places import Places
    from napari_msqsm.workflow.drawing.saving import Snapshot

_DESC = re.compile(r"desc-([A-Za-z]+)_dseg")


def write_aside(places: Places, snapshot: Snapshot, name: str) -> tuple[Path, ...]:
    """Write what was drawn under another name: ``…_desc-lesionsAB_dseg.nii.gz``, ``sub-01_desc-AB_lesions.tsv``.

    Parameters
    ----------
    places, snapshot
        What goes beside what.
    name
        Letters and digits.

    Raises
    ------
    ParameterError
        When the name holds anything else.
    InputError
        When files of that name are there, or cannot be written.
    """
    if not re.fullmatch(r"[A-Za-z0-9]+", name):
        raise ParameterError(f"the name {name!r} must hold letters and digits only")
    images = {}
    for plane in snapshot.labels:
        path = places.plane(plane)
        images[path.with_name(_DESC.sub(rf"desc-\g<1>{name}_dseg", path.name))] = plane
    texts = {
        path.with_name(path.name.replace(f"{places.name}_", f"{places.name}_desc-{name}_")): text
        for path, text in snapshot.texts(places).items()
    }
    for path in (*images, *texts):
        if path.exists():
            raise InputError(f"{path.name} is there already; choose another name")
    try:
        for path, plane in images.items():
            labels, grid = snapshot.labels[plane], snapshot.grids[plane]
            sidecar = sidecar_of(plane, labels, grid, snapshot.names, snapshot.sources[plane])
            save_volume(path, labels, grid, sidecar=sidecar | software(device="cpu", seed=0))
        for path, text in texts.items():
            with atomic_path(path) as temporary:
                temporary.write_bytes(text)
    except OSError as error:
        raise InputError(
            f"the drawing could not be saved under another name ({error.strerror or error}); free some space and try "
            "again"
        ) from None
    return (*images, *texts)
