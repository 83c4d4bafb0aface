"""Local re-registration about a lesion: its shift at a session, looked at and accepted by the reader."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_msqsm.errors import CancelledError, InputError, MsqsmError, ParameterError
from napari_msqsm.lesions.local_shift import LocalShift, local_shift
from napari_msqsm.lesions.surroundings import Scan
from napari_msqsm.model.grid import Grid
from napari_msqsm.workspace.drawing.edit import Edit, FollowUpChange
from napari_msqsm.workspace.drawing.plane import ONSET

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_msqsm.workflow.tasks import OnProgress
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing

Kind = Literal["chi", "magnitude"]
_ABOUT_MM = 16.0
"""More than the surroundings that are looked at, so that all lesions in them are left out."""


@dataclass(frozen=True)
class ShiftFound:
    """Shift of a lesion at one session.

    Parameters
    ----------
    label, session
        Which lesion, at which session.
    shift
        What was found; None where that was not possible.
    lacks
        Why there is none; empty where there is one.
    """

    label: int
    session: str
    shift: LocalShift | None
    lacks: str = ""

    @property
    def words(self) -> str:
        """What it says, for the screen."""
        if self.shift is None:
            return self.lacks
        if not self.shift.settled:
            return "no shift was found that fits: look at the alignment"
        x, y, z = self.shift.shift_mm
        found = (
            f"shift {self.shift.distance_mm:.2f} ± {self.shift.distance_error_mm:.2f} mm ({x:+.2f}, {y:+.2f}, {z:+.2f})"
        )
        return f"{found}: misaligned" if self.shift.misaligned else found


def shift_at(
    drawing: Drawing, maps: PatientMaps, label: int, session: str, *, images: Sequence[Kind] = ("chi",)
) -> ShiftFound:
    """Look how far the tissue about a lesion lies beside where the alignment of a session puts it.

    Parameters
    ----------
    drawing, maps, label
        Which lesion.
    session
        Which session; its onset session is what it is compared with.
    images
        Susceptibility, the magnitude of the gradient echoes, or both. Susceptibility is the same on all scanners;
        magnitude depends on echo times and coils, and helps where there is little contrast.

    Raises
    ------
    ParameterError
        When there is no such lesion.
    """
    lesion = drawing.lesion(label)
    if lesion is None:
        raise ParameterError(f"there is no lesion {label}")
    onset = lesion.onset_session
    if not onset or drawing.box(ONSET, label) is None:
        return ShiftFound(label, session, None, "it has no onset region yet")
    if session == onset:
        return ShiftFound(label, session, None, "this is its onset session")
    try:
        first, second = ([_scan(maps, each, kind) for kind in images] for each in (onset, session))
        mask, others, grid = _about(drawing, label)
        return ShiftFound(label, session, local_shift(mask, grid, first, second, others=others))
    except MsqsmError as error:
        return ShiftFound(label, session, None, str(error))


def shifts(
    drawing: Drawing,
    maps: PatientMaps,
    label: int,
    *,
    images: Sequence[Kind] = ("chi",),
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> tuple[ShiftFound, ...]:
    """Look at the shift of a lesion at all sessions after its onset.

    Raises
    ------
    ParameterError
        When there is no such lesion.
    CancelledError
        When that was asked for.
    """
    lesion = drawing.lesion(label)
    if lesion is None:
        raise ParameterError(f"there is no lesion {label}")
    later = maps.after(lesion.onset_session)
    out = []
    for number, session in enumerate(later):
        if cancel is not None and cancel.is_set():
            raise CancelledError("cancelled")
        if on_progress is not None:
            on_progress(f"{lesion.lesion_id} at {session.label}", number / len(later))
        out.append(shift_at(drawing, maps, label, session.label, images=images))
    return tuple(out)


def accept_shift(drawing: Drawing, found: ShiftFound) -> Edit:
    """Let the region of a lesion be moved by a shift at its session; an edit, not applied.

    Raises
    ------
    ParameterError
        When there is no shift that could be accepted.
    """
    if found.shift is None or not found.shift.settled:
        raise ParameterError(f"there is no shift to accept: {found.words}")
    return _shifted(drawing, found.label, found.session, found.shift.shift_mm)


def drop_shift(drawing: Drawing, label: int, session: str) -> Edit:
    """Take back a shift that was accepted; an edit, not applied."""
    return _shifted(drawing, label, session, None)


def _shifted(drawing: Drawing, label: int, session: str, shift_mm: tuple[float, float, float] | None) -> Edit:
    lesion = drawing.lesion(label)
    if lesion is None:
        raise ParameterError(f"there is no lesion {label}")
    before = drawing.follow_up(label, session)
    after = replace(before, shift_mm=shift_mm)
    title = f"shift of {lesion.lesion_id} at {session}"
    return Edit(title, follow_ups=() if after == before else (FollowUpChange(before, after),))


def _about(drawing: Drawing, label: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Grid]:
    """Cut a lesion and those about it out of the onset plane."""
    whole, found = drawing.grid(ONSET), drawing.box(ONSET, label)
    if found is None:
        raise InputError("it has no onset region yet")
    box = tuple(
        slice(max(0, part.start - margin), min(n, part.stop + margin))
        for part, n, margin in zip(found, whole.shape, _margin(whole), strict=True)
    )
    corner = np.eye(4)
    corner[:3, 3] = [part.start for part in box]
    labels = drawing.labels(ONSET)[box]
    return labels == label, (labels != 0) & (labels != label), Grid(labels.shape, whole.affine @ corner)


def _margin(grid: Grid) -> tuple[int, ...]:
    return tuple(int(np.ceil(_ABOUT_MM / step)) for step in grid.voxel_size_mm)


def _scan(maps: PatientMaps, session: str, kind: Kind) -> Scan:
    own = maps.map(session)
    if own is None:
        raise InputError(f"{session}: {maps.lacks(session)}")
    if kind == "chi":
        return Scan(own.chi_ppm, own.mask, own.grid, own.transform)
    image, grid = maps.magnitude(session)
    mask = own.mask if own.grid.same_as(grid) else image > 0
    return Scan(np.log(np.maximum(image, 1e-6 * float(image.max()))), mask, grid, own.transform)
