"""What is drawn at one session, whichever planes it lies on: as it is seen, and as it may be changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.workspace.drawing.edit import VoxelChange

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.workspace.drawing.drawing import Drawing
    from napari_msqsm.workspace.drawing.plane import Plane

_N_LABELS = 1 << 16
Owner = Callable[[int], "Plane"]
Allowed = Callable[["NDArray[np.int64]"], "NDArray[np.bool_]"]


class Regions:
    """Planes on one grid, seen as one label image: each lesion is seen on the plane that is its own there.

    Parameters
    ----------
    drawing
        Whose.
    planes
        From the one that lies on top.
    owner
        Tells the plane of a lesion; the last one of all lesions when not given.

    Notes
    -----
    At a session of a follow-up, lesions that began before have their regions on the plane of that session, and those
    that begin there theirs on the onset plane. ``only`` is the label that alone is seen, 0 for all.
    """

    def __init__(self, drawing: Drawing, planes: Sequence[Plane], owner: Owner | None = None) -> None:
        self.drawing = drawing
        self.planes = tuple(planes)
        self.only = 0
        self._owner = owner
        self._tables: list[NDArray[np.uint16]] = []
        self.renew()

    @property
    def grid(self) -> Grid:
        """Grid of all of them."""
        return self.drawing.grid(self.planes[-1])

    @property
    def arrays(self) -> tuple[NDArray[np.uint16], ...]:
        """(X, Y, Z) live labels of each plane."""
        return tuple(self.drawing.labels(plane) for plane in self.planes)

    def plane_of(self, label: int) -> Plane:
        """Plane on which a lesion is drawn here."""
        return self.planes[-1] if self._owner is None else self._owner(label)

    def renew(self) -> None:
        """Look again at which lesion belongs to which plane."""
        self._tables = [np.zeros(_N_LABELS, dtype=np.uint16) for _ in self.planes]
        self._tables[-1][:] = np.arange(_N_LABELS, dtype=np.uint16)
        for lesion in self.drawing.lesions:
            own = self.plane_of(lesion.label)
            for plane, table in zip(self.planes, self._tables, strict=True):
                table[lesion.label] = lesion.label if plane == own else 0

    def seen(self, parts: Sequence[NDArray[np.uint16]], *, all_of_them: bool = False) -> NDArray[np.uint16]:
        """Labels that are seen where the planes hold ``parts``; also those that are hidden, where asked for."""
        out = self._tables[0][parts[0]]
        for table, part in zip(self._tables[1:], parts[1:], strict=True):
            out = np.where(out != 0, out, table[part])
        if self.only and not all_of_them:
            out = np.where(out == self.only, out, np.uint16(0))
        return out

    def at(self, index: NDArray[np.int64]) -> NDArray[np.uint16]:
        """Labels at voxels, by flat index, whether they are hidden or not."""
        return self.seen([array.ravel()[index] for array in self.arrays], all_of_them=True)


class Pen:
    """Writes where it may, and remembers what it wrote until somebody takes it.

    Other lesions are protected: a voxel changes only between 0 and the pen's own label.
    """

    def __init__(self) -> None:
        self.label = 0
        self.refused = 0
        """How many voxels were not written since `take`, because another lesion has them."""
        self._written: list[tuple[Plane, NDArray[np.int64], NDArray[np.uint16], NDArray[np.uint16]]] = []

    @property
    def wrote(self) -> bool:
        """Whether there is something to take."""
        return bool(self._written)

    def write(
        self, regions: Regions, index: NDArray[np.int64], value: Any, *, allowed: Allowed | None = None
    ) -> NDArray[np.int64]:
        """Give voxels (flat index, none twice) a label or labels; returns those that changed."""
        if self.label == 0 or index.size == 0:
            return np.empty(0, dtype=np.int64)
        plane = regions.plane_of(self.label)
        labels = regions.drawing.labels(plane).ravel()
        before = labels[index]
        after = np.broadcast_to(np.asarray(value, dtype=np.uint16), before.shape)
        seen = regions.at(index)
        mine = ((before == 0) | (before == self.label)) & ((seen == 0) | (seen == self.label))
        mine &= (after == 0) | (after == self.label)
        self.refused += int(np.count_nonzero(~mine & (before != after)))
        mine &= before != after
        if allowed is not None:
            mine &= allowed(index)
        if not mine.any():
            return np.empty(0, dtype=np.int64)
        index, before, after = np.asarray(index[mine], dtype=np.int64), before[mine], after[mine]
        labels[index] = after
        self._written.append((plane, index, before, after))
        return index

    def take(self) -> tuple[VoxelChange, ...]:
        """Take what was written since the last time: one net change for each plane."""
        written, self._written, self.refused = self._written, [], 0
        out = []
        for plane in dict.fromkeys(part[0] for part in written):
            parts = [part for part in written if part[0] == plane]
            index, before, after = (np.concatenate([part[k] for part in parts]) for k in (1, 2, 3))
            _, first = np.unique(index, return_index=True)
            voxels, last = np.unique(index[::-1], return_index=True)
            before, after = before[first], after[::-1][last]
            differ = before != after
            if differ.any():
                out.append(VoxelChange(plane, voxels[differ], before[differ], after[differ]))
        return tuple(out)
