"""Label images on disk: NIfTI of 16-bit numbers with a sidecar that names the lesions."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import InputError, ShapeMismatchError
from napari_msqsm.io.nifti import load_raw
from napari_msqsm.model.lesion import MOST_LESIONS
from napari_msqsm.workspace.drawing.plane import PlaneKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.io.nifti import RawImage
    from napari_msqsm.model.grid import Grid
    from napari_msqsm.workspace.drawing.plane import Plane

_ROUNDING = 1e-3
_MEANING = {
    PlaneKind.FLAIR: "Lesions as they were drawn on the FLAIR of this session; volumes are measured in them",
    PlaneKind.ONSET: "Lesions on the gradient echo of the baseline, as they were edited on the map of their onset",
    PlaneKind.VEIN: "Central veins that are left out of the lesions, by the label of the lesion",
    PlaneKind.NAWM: "Reference regions that a reader painted, by the label of their lesion",
    PlaneKind.FOLLOW_UP: "Lesions at this session after their onset, as they were propagated or edited there",
}


def read_labels(path: Path, grid: Grid) -> NDArray[np.uint16]:
    """Read a label image that lies on a grid.

    Parameters
    ----------
    path
        The file.
    grid
        Of the image that it was drawn on; affines may differ by what headers round.

    Returns
    -------
    ndarray
        (X, Y, Z) labels.

    Raises
    ------
    InputError
        When the file cannot be read or holds anything else than whole numbers from 0 to 65535.
    ShapeMismatchError
        When it lies on another grid.
    """
    raw = load_raw(path, what="label image")
    if raw.array.ndim != 3:
        raise InputError(f"label image {path} is a 4-D stack {raw.array.shape}; give one 3-D volume")
    if not raw.grid.same_as(grid):
        detail = f"shape {raw.grid.shape}" if raw.grid.shape != grid.shape else "another position or voxel size"
        raise ShapeMismatchError(
            f"label image {path} has {detail}, not that of its image {grid.shape}; move it away and add the original "
            "mask again (msqsm add masks)"
        )
    low, high = float(raw.array.min()), float(raw.array.max())
    if low < 0 or high > MOST_LESIONS or not _are_whole(raw):
        raise InputError(
            f"label image {path} holds values from {low:g} to {high:g}; labels are whole numbers from 0 to "
            f"{MOST_LESIONS}"
        )
    labels: NDArray[np.uint16] = (raw.array if raw.stored_as_integer else np.rint(raw.array)).astype(np.uint16)
    return labels


def _are_whole(raw: RawImage) -> bool:
    if raw.stored_as_integer and raw.slope == 1 and raw.intercept == 0:
        return True
    return bool(np.all(np.abs(raw.array - np.rint(raw.array)) <= _ROUNDING))


def count_labels(labels: NDArray[np.uint16]) -> dict[int, int]:
    """Voxels of every label that occurs, without 0."""
    counts = np.bincount(labels[labels != 0])
    return {int(label): int(counts[label]) for label in np.flatnonzero(counts)}


def sidecar_of(
    plane: Plane, labels: NDArray[np.uint16], grid: Grid, names: Mapping[int, str], source: str
) -> dict[str, Any]:
    """Sidecar of a label image.

    Parameters
    ----------
    plane, labels, grid
        What is written.
    names
        Name of the lesion of each label.
    source
        BIDS address of the image that it was drawn on.
    """
    return {
        "Description": _MEANING[plane.kind],
        "Sources": [source],
        "SpatialReference": source,
        "Lesions": [
            {"Label": label, "Name": names.get(label, "n/a"), "Voxels": n, "Volume": n * grid.voxel_volume_mm3}
            for label, n in count_labels(labels).items()
        ],
        "LesionVolumeUnit": "mm3",
    }


def fingerprint(path: Path) -> str:
    """SHA-256 of a file; empty where there is none. Always from its content: files of one size and second differ."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the disk and its permissions") from None
