"""One picture of every map: made from the files where the reconstruction left none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import MsqsmError
from napari_msqsm.io.nifti import load_volume
from napari_msqsm.units import PPB_PER_PPM
from napari_msqsm.workflow.picture import CHI_WINDOW_PPB, View, save_picture

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.io.nifti import Volume

_OUTLINE = "#ffb000"
_CSF = "#00c8ff"


def draw(path: Path, files: Mapping[str, Path], *, title: str) -> Path:
    """Draw what there is of a map: its local field, R2* and χ, with the masks as outlines.

    Parameters
    ----------
    path
        PNG file to write.
    files
        ``Chimap``, and as far as they exist ``localfield``, ``R2starmap``, ``mask`` and ``csf_mask``.
    title
        Above the picture.

    Raises
    ------
    InputError
        When the map cannot be read.
    """
    chi = load_volume(files["Chimap"], what="susceptibility map")
    mask = _beside(files.get("mask"), chi)
    inside = chi.array != 0 if mask is None else mask.array > 0
    outlines = {_OUTLINE: inside}
    views = []
    if (field := _beside(files.get("localfield"), chi)) is not None:
        limit = _high(np.abs(field.array[inside]))
        views.append(View("local field", "Hz", field.array, (-limit, limit), outlines))
    if (r2star := _beside(files.get("R2starmap"), chi)) is not None:
        csf = _beside(files.get("csf_mask"), chi)
        fluid = {} if csf is None else {_CSF: csf.array > 0}
        views.append(View("R2*", "1/s", r2star.array, (0.0, _high(r2star.array[inside])), fluid))
    views.append(View("χ", "ppb", PPB_PER_PPM * chi.array, CHI_WINDOW_PPB, outlines if not views else {}))
    return save_picture(path, views, chi.grid, title=title)


def _beside(path: Path | None, chi: Volume) -> Volume | None:
    """Image on the grid of the map; None where there is none that can be read."""
    if path is None or not path.is_file():
        return None
    try:
        volume = load_volume(path, what="image")
    except MsqsmError:
        return None
    return volume if volume.grid.same_as(chi.grid) else None


def _high(values: NDArray[np.float32]) -> float:
    return float(np.quantile(values, 0.98)) or 1.0 if values.size else 1.0
