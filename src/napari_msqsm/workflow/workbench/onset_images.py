"""T1 before and after gadolinium side by side on one grid, scaled to each other, and what they differ by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import CancelledError, InputError
from napari_msqsm.lesions.enhancement import Scaling, scaling_between
from napari_msqsm.lesions.onset import sampled
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.resampling.resample import resample

if TYPE_CHECKING:
    import threading

    from numpy.typing import NDArray

    from napari_msqsm.model.study import Contrast
    from napari_msqsm.model.transform import AffineTransform
    from napari_msqsm.workflow.tasks import OnProgress
    from napari_msqsm.workflow.workbench.maps import PatientMaps

BEFORE: Contrast = "T1w"
AFTER: Contrast = "ce-gadolinium_T1w"
_MARGIN_MM = 8.0
_MOST_SAMPLES = 60_000
_HEAD = 0.25
"""Of the 99th percentile: what is brighter counts as head, where the brain is not known."""


@dataclass(frozen=True, eq=False)
class OnsetImages:
    """Images in which a reader looks for enhancement.

    Parameters
    ----------
    session
        BIDS name.
    before, after, subtraction
        (X, Y, Z) T1 before gadolinium in units of the one after, T1 after, and after − before; NaN in ``before`` and
        the subtraction where the one before does not reach.
    grid
        Of the image after gadolinium as it was acquired, cut to the brain.
    transform
        Scanner positions at the baseline → those of the image after gadolinium, mm.
    scaling
        How they were scaled; ``subtraction / scaling.noise`` is the signal-to-noise ratio of enhancement.
    notes
        What was assumed, one sentence each.
    """

    session: str
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    subtraction: NDArray[np.float32]
    grid: Grid
    transform: AffineTransform
    scaling: Scaling
    notes: tuple[str, ...] = ()


def lacks_onset_images(maps: PatientMaps, session: str) -> str:
    """Why there is no subtraction at a session, in words; empty where there is one. No image is read."""
    contrasts = maps.session(session).contrasts
    for contrast, words in ((AFTER, "T1 after gadolinium"), (BEFORE, "T1 before gadolinium")):
        if contrast not in contrasts:
            return f"{session} has no {words}"
        if maps.transform(session, contrast) is None:
            return f"the {words} of {session} is not aligned to the baseline, or the alignment may not be used"
    return ""


def onset_images(
    maps: PatientMaps,
    session: str,
    *,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> OnsetImages:
    """Bring T1 before gadolinium onto the grid of the one after, scale it and subtract it.

    It goes there in one interpolation (cubic B-spline) through the two accepted transforms; the image after gadolinium
    stays as it was acquired.

    Raises
    ------
    InputError
        When an image is missing, is not aligned or cannot be read, or they have nothing in common.
    CancelledError
        When that was asked for.
    """
    reason = lacks_onset_images(maps, session)
    first, second = maps.transform(session, BEFORE), maps.transform(session, AFTER)
    if reason or first is None or second is None:
        raise InputError(f"{reason}; there is nothing to subtract")

    def tell(words: str, fraction: float) -> None:
        if cancel is not None and cancel.is_set():
            raise CancelledError("cancelled")
        if on_progress is not None:
            on_progress(words, fraction)

    tell("Reading T1", 0.0)
    before, after = maps.contrast(session, BEFORE), maps.contrast(session, AFTER)
    if before is None or after is None:
        raise InputError(f"{session} has no T1 before and after gadolinium; there is nothing to subtract")
    places, notes = _brain(maps, session, *after, second)
    some = places[:: max(1, len(places) // _MOST_SAMPLES)]
    scaling = scaling_between(
        sampled(*before, first, some).astype(np.float64), sampled(*after, second, some).astype(np.float64)
    )
    box, grid = _cut(after[1], second.apply(places))
    image = np.ascontiguousarray(after[0][box])
    carried = resample(
        before[0],
        before[1],
        grid,
        first.after(second.inverse()),
        interpolation="cubic",
        outside=np.nan,
        on_progress=lambda _, fraction: tell("T1 before gadolinium", 0.1 + 0.85 * fraction),
    )
    scaled = np.asarray(carried, dtype=np.float32) * np.float32(scaling.scale)
    tell("Subtraction", 1.0)
    return OnsetImages(session, scaled, image, image - scaled, grid, second, scaling, notes)


def _brain(
    maps: PatientMaps, session: str, after: NDArray[np.float32], grid: Grid, transform: AffineTransform
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Places of the brain at the baseline, (n, 3) mm: of the map of the session, or of the head in its T1."""
    own = maps.map(session)
    if own is not None and own.mask.any():
        mask, of, to_baseline = own.mask, own.grid, own.transform.inverse()
        notes: tuple[str, ...] = ()
    else:
        mask = after > _HEAD * float(np.quantile(after, 0.99))
        of, to_baseline = grid, transform.inverse()
        notes = (f"{session} has no brain mask: the T1 images are scaled to each other by all of the head",)
    index = np.stack(np.nonzero(mask), axis=-1)
    return to_baseline.apply(index @ of.affine[:3, :3].T + of.affine[:3, 3]), notes


def _cut(grid: Grid, places: NDArray[np.float64]) -> tuple[tuple[slice, ...], Grid]:
    """Box of a grid about places in its scanner space, with some margin."""
    to_voxel = np.linalg.inv(grid.affine)
    at = places @ to_voxel[:3, :3].T + to_voxel[:3, 3]
    margin = _MARGIN_MM / np.array(grid.voxel_size_mm)
    start = np.clip(np.floor(at.min(axis=0) - margin), 0, np.array(grid.shape) - 1).astype(int)
    stop = np.clip(np.ceil(at.max(axis=0) + margin) + 1, start + 1, grid.shape).astype(int)
    box = tuple(slice(int(low), int(high)) for low, high in zip(start, stop, strict=True))
    corner = np.eye(4)
    corner[:3, 3] = start
    return box, Grid(tuple(int(n) for n in stop - start), grid.affine @ corner)
