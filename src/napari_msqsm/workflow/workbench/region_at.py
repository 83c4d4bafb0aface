"""The region that a lesion is measured in at a session, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.workspace.drawing.plane import ONSET, VEIN, Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.workspace.drawing.boxes import Box
    from napari_msqsm.workspace.drawing.drawing import Drawing

RoiSource = Literal["onset", "propagated", "edited"]
_MARGIN_VOXELS = 3
"""About the region, so that a vein at its edge is in the crop whole."""


@dataclass(frozen=True, eq=False)
class SessionRegion:
    """Region of a lesion at a session, cut out of the baseline grid.

    Parameters
    ----------
    label, session, source
        Of which lesion, at which session, and where the region comes from.
    mask
        (x, y, z) the lesion with its vein, as `napari_msqsm.lesions.carry.carry_roi` takes it.
    cut
        (x, y, z) its vein.
    box
        Where on the baseline grid the crop lies.
    grid
        Of the crop.
    shift_mm
        By how much the region is moved before the session's transform takes it there.
    """

    label: int
    session: str
    source: RoiSource
    mask: NDArray[np.bool_]
    cut: NDArray[np.bool_]
    box: Box
    grid: Grid
    shift_mm: tuple[float, float, float] | None = None

    @property
    def n_voxels(self) -> int:
        """Voxels of the lesion with its vein."""
        return int(np.count_nonzero(self.mask))

    @property
    def volume_mm3(self) -> float:
        """Volume of the lesion with its vein."""
        return self.n_voxels * self.grid.voxel_volume_mm3

    def moved(self, transform: AffineTransform) -> AffineTransform:
        """Transform of the session (baseline → session, mm) with the shift that was accepted for this lesion."""
        return transform if self.shift_mm is None else transform.after(shift_of(self.shift_mm))


def shift_of(shift_mm: tuple[float, float, float]) -> AffineTransform:
    """Make the transform that moves points of the baseline by a shift, RAS+ mm."""
    matrix = np.eye(4)
    matrix[:3, 3] = shift_mm
    return AffineTransform(matrix)


def roi_source(drawing: Drawing, label: int, session: str) -> RoiSource:
    """Where the region of a lesion at a session comes from.

    ``onset``: the edited onset region, at the onset session and wherever nothing else was drawn. ``propagated``: the
    onset region as it was propagated there. ``edited``: drawn or changed at that session (also where all of it was
    erased there).
    """
    plane = _own_plane(drawing, label, session)
    if plane is None:
        return "onset"
    found, propagated = drawing.digest(plane, label), drawing.follow_up(label, session).propagated
    if found == propagated:
        return "propagated" if found else "onset"
    return "edited"


def region_at(drawing: Drawing, label: int, session: str) -> SessionRegion | None:
    """Find the region that a lesion is measured in at a session.

    At every session with a region of its own that one, at all others (the onset session and those before it among them)
    the onset region.

    Returns
    -------
    SessionRegion or None
        None where the lesion has no region: nothing was drawn, or it was erased at this session.
    """
    source = roi_source(drawing, label, session)
    plane = ONSET if source == "onset" else Plane.follow_up(session)
    box = drawing.box(plane, label)
    if box is None:
        return None
    whole = drawing.grid(plane)
    x, y, z = (
        slice(max(0, part.start - _MARGIN_VOXELS), min(n, part.stop + _MARGIN_VOXELS))
        for part, n in zip(box, whole.shape, strict=True)
    )
    box = (x, y, z)
    corner = np.eye(4)
    corner[:3, 3] = [part.start for part in box]
    mask = drawing.labels(plane)[box] == label
    shift_mm = None if _is_onset(drawing, label, session) else drawing.follow_up(label, session).shift_mm
    return SessionRegion(
        label,
        session,
        source,
        mask,
        drawing.labels(VEIN)[box] == label,
        box,
        Grid(mask.shape, whole.affine @ corner),
        shift_mm,
    )


def _is_onset(drawing: Drawing, label: int, session: str) -> bool:
    lesion = drawing.lesion(label)
    return lesion is not None and lesion.onset_session == session


def _own_plane(drawing: Drawing, label: int, session: str) -> Plane | None:
    """Plane of a session's own regions; None at the onset session, and where there is no such plane."""
    plane = Plane.follow_up(session)
    return None if _is_onset(drawing, label, session) or plane not in drawing.planes else plane
