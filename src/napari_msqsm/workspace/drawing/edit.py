"""One step of work on a drawing: sparse changes of label images and of what is known about lesions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.lesion import FollowUp, Lesion
    from napari_msqsm.workspace.drawing.boxes import Box
    from napari_msqsm.workspace.drawing.plane import Plane


@dataclass(frozen=True, eq=False)
class VoxelChange:
    """Voxels of one plane that got another label.

    Parameters
    ----------
    plane
        Which label image.
    index
        (n,) flat index of each voxel, C order over (X, Y, Z), no voxel twice.
    before, after
        (n,) labels.
    """

    plane: Plane
    index: NDArray[np.int64]
    before: NDArray[np.uint16]
    after: NDArray[np.uint16]

    @property
    def inverse(self) -> VoxelChange:
        """The change that takes this one back."""
        return VoxelChange(self.plane, self.index, self.after, self.before)

    @property
    def n_bytes(self) -> int:
        """Memory that it takes."""
        return int(self.index.nbytes + self.before.nbytes + self.after.nbytes)


@dataclass(frozen=True)
class LesionChange:
    """What is known about a lesion, before and after; None where there was or is no such lesion."""

    before: Lesion | None
    after: Lesion | None


@dataclass(frozen=True)
class FollowUpChange:
    """What is known about a lesion at a session, before and after."""

    before: FollowUp | None
    after: FollowUp | None


@dataclass(frozen=True, eq=False)
class Edit:
    """One step that is undone as a whole.

    Parameters
    ----------
    title
        What was done, in the user's words: ``brush``, ``propagate 01-L003``.
    voxels, lesions, follow_ups
        Changes.
    by, at
        Initials of who did it, and when (ISO 8601 with the offset from UTC).
    """

    title: str
    voxels: tuple[VoxelChange, ...] = ()
    lesions: tuple[LesionChange, ...] = ()
    follow_ups: tuple[FollowUpChange, ...] = ()
    by: str = ""
    at: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not (self.voxels or self.lesions or self.follow_ups)

    @property
    def inverse(self) -> Edit:
        """The edit that takes this one back."""
        return Edit(
            self.title,
            tuple(change.inverse for change in reversed(self.voxels)),
            tuple(LesionChange(change.after, change.before) for change in reversed(self.lesions)),
            tuple(FollowUpChange(change.after, change.before) for change in reversed(self.follow_ups)),
            self.by,
            self.at,
        )

    @property
    def labels(self) -> frozenset[int]:
        """Lesions that it touches."""
        found: set[int] = set()
        for voxels in self.voxels:
            found |= {int(value) for value in np.union1d(np.unique(voxels.before), np.unique(voxels.after))}
        for lesion in self.lesions:
            found |= {side.label for side in (lesion.before, lesion.after) if side is not None}
        for state in self.follow_ups:
            found |= {side.label for side in (state.before, state.after) if side is not None}
        return frozenset(found - {0})

    @property
    def n_bytes(self) -> int:
        """Memory that it takes."""
        return sum(change.n_bytes for change in self.voxels)


def changed_voxels(plane: Plane, labels: NDArray[np.uint16], wanted: NDArray[np.uint16]) -> VoxelChange | None:
    """Find what makes a label image into another one on its grid; None where they are the same."""
    index = np.flatnonzero(labels != wanted)
    if index.size == 0:
        return None
    return VoxelChange(plane, index, labels.ravel()[index], wanted.ravel()[index])


def voxels_set(
    plane: Plane, labels: NDArray[np.uint16], index: NDArray[np.int64], value: int | NDArray[np.uint16]
) -> VoxelChange | None:
    """Give voxels (flat index) a label; None where they have it already."""
    before = labels.ravel()[index] if labels.flags.c_contiguous else labels[np.unravel_index(index, labels.shape)]
    after = np.broadcast_to(np.asarray(value, dtype=np.uint16), before.shape)
    differ = before != after
    if not differ.any():
        return None
    return VoxelChange(plane, np.asarray(index)[differ], before[differ], after[differ])


def label_index(labels: NDArray[np.uint16], label: int, box: Box | None = None) -> NDArray[np.int64]:
    """(n,) flat index of the voxels that have a label, ascending; looked for in a box."""
    if box is None:
        return np.flatnonzero(labels == label)
    at = np.nonzero(labels[box] == label)
    found = np.ravel_multi_index(tuple(i + part.start for i, part in zip(at, box, strict=True)), labels.shape)
    return np.asarray(found, dtype=np.int64)


def roi_digest(labels: NDArray[np.uint16], label: int, box: Box | None = None) -> str:
    """Short digest of the voxels that have a label (looked for in a box); empty where none has."""
    return index_digest(label_index(labels, label, box))


def index_digest(index: NDArray[np.int64]) -> str:
    """Short digest of a region from its voxels (flat index, ascending); empty for no voxel."""
    return hashlib.sha256(index.astype("<i8").tobytes()).hexdigest()[:16] if index.size else ""
