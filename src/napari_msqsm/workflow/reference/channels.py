"""Images that tell tissue, on the grid of the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.io.nifti import load_raw, load_volume
from napari_msqsm.lesions.reference.tissue import Channel
from napari_msqsm.model.resampling.resample import resample
from napari_msqsm.qsm.r2star.log_linear import log_linear
from napari_msqsm.workflow.coregistration.images import load_magnitude
from napari_msqsm.workflow.coregistration.pairs import result_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_msqsm.model.study import Contrast
    from napari_msqsm.model.transform import AffineTransform
    from napari_msqsm.workflow.workbench.maps import PatientMaps

_STRUCTURAL: tuple[Contrast, ...] = ("T1w", "FLAIR")
_LEAST_SEEN = 0.9
_LEAST_ECHOES = 3


def channels_of(maps: PatientMaps, brain: NDArray[np.bool_]) -> tuple[list[Channel], list[str]]:
    """T1w and FLAIR where they are aligned; R2* with FLAIR alone; the gradient echo itself where there is neither.

    Parameters
    ----------
    maps
        Images of the patient.
    brain
        (X, Y, Z) on the grid of the baseline.

    Returns
    -------
    channels, notes
        What there is, and what the user has to know, one sentence each.
    """
    channels: list[Channel] = []
    notes: list[str] = []
    for contrast in _STRUCTURAL:
        for label, transform in aligned(maps, contrast):
            loaded = maps.contrast(label, contrast)
            if loaded is None:
                continue
            image = resample(*loaded, maps.grid, transform, interpolation="linear")
            if np.mean(image[brain] > 0) < _LEAST_SEEN:
                notes.append(f"{contrast} of {label} does not cover the brain and was not used to tell tissue")
                continue
            channels.append(Channel(contrast, image))
            if label != maps.baseline.label:
                notes.append(f"tissue is told by the {contrast} of {label}: the baseline has none that is aligned")
            break
    names = [channel.name for channel in channels]
    if "T1w" not in names:
        channels += _r2star(maps, brain)
    if names:
        return channels, notes
    notes.append(
        "no T1w and no FLAIR is aligned to the baseline: tissue is told by the gradient echo alone; align one, or give "
        "a mask of the white matter (msqsm add masks --as whitematter)"
    )
    if not channels:
        notes.append("there is no R2* either: white and grey matter can hardly be told apart; look at every reference")
    return [Channel("magnitude", load_magnitude(maps.baseline)[0]), *channels], notes


def aligned(maps: PatientMaps, contrast: Contrast) -> Iterator[tuple[str, AffineTransform]]:
    """Sessions with an aligned image of a contrast, the baseline first."""
    for session in (maps.baseline, *(each for each in maps.sessions if each is not maps.baseline)):
        transform = maps.transform(session.label, contrast) if contrast in session.contrasts else None
        if transform is not None:
            yield session.label, transform


def _r2star(maps: PatientMaps, brain: NDArray[np.bool_]) -> list[Channel]:
    """R2* of the baseline, or of its echoes: it shows fluid, which FLAIR mistakes for white matter beside cortex."""
    path = result_path(maps.study, maps.baseline, "R2starmap", maps.out_dir)
    if path.is_file():
        volume = load_volume(path, what="R2* map", allow_nan=True)
        if volume.grid.same_as(maps.grid):
            return [Channel("R2star", np.nan_to_num(volume.array, nan=0.0))]
    echoes = [echo for echo in maps.baseline.gre if echo.part == "mag" and "EchoTime" in echo.sidecar]
    if len(echoes) < _LEAST_ECHOES:
        return []
    images = [load_raw(echo.path, what="magnitude").array for echo in echoes]
    if any(image.shape != maps.grid.shape for image in images):
        return []
    times = [float(echo.sidecar["EchoTime"]) for echo in echoes]
    stack = np.nan_to_num(np.stack(images).astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    return [Channel("R2star", log_linear(stack, echo_times_s=times, mask=brain))]
