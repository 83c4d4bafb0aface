"""A mask of the white matter that the user gave, on the grid of the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_msqsm.io.bids import derivative_path
from napari_msqsm.io.nifti import load_volume
from napari_msqsm.model.resampling.resample import resample
from napari_msqsm.workflow.coregistration.pairs import GRE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.workflow.workbench.maps import PatientMaps

_PLACES = {
    GRE: "desc-givenwhitematter_mask",
    "T1w": "space-T1w_desc-whitematter_mask",
    "FLAIR": "space-FLAIR_desc-whitematter_mask",
    "T2w": "space-T2w_desc-whitematter_mask",
    "ce-gadolinium_T1w": "space-ceT1w_desc-whitematter_mask",
}


class GivenWhiteMatter(NamedTuple):
    """(X, Y, Z) voxels of the baseline of which more than half is white matter, and the file that says so."""

    white: NDArray[np.bool_]
    path: Path


def given_white_matter(maps: PatientMaps) -> tuple[GivenWhiteMatter | None, list[str]]:
    """Read the mask that was taken over for a patient: of the baseline, else of the first session that has one.

    Returns
    -------
    mask, notes
        None where there is none that can be carried to the baseline, and why not.

    Notes
    -----
    It is carried by the transform of the image it lies on, and what fills more than half of a voxel counts.
    """
    notes = []
    for session in (maps.baseline, *(each for each in maps.sessions if each is not maps.baseline)):
        for image, suffix in _PLACES.items():
            path = derivative_path(maps.study, session, suffix)
            if not path.is_file():
                continue
            transform = maps.transform(session.label, image)
            if transform is None:
                notes.append(f"{path.name} is not used: the {image} of {session.label} is not aligned to the baseline")
                continue
            volume = load_volume(path, what="white-matter mask")
            share = resample(
                (volume.array > 0).astype(np.float32), volume.grid, maps.grid, transform, interpolation="linear"
            )
            return GivenWhiteMatter(share > 0.5, path), notes
    return None, notes
