"""Where lesions are at any time, on the grid of the baseline, kept up to date while they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.workspace.drawing.edit import label_index
from napari_msqsm.workspace.drawing.plane import PlaneKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.transform import AffineTransform
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing
    from napari_msqsm.workspace.drawing.edit import Edit
    from napari_msqsm.workspace.drawing.plane import Plane

_PART_MM = 0.5
_LESIONS = (PlaneKind.FLAIR, PlaneKind.ONSET, PlaneKind.VEIN, PlaneKind.FOLLOW_UP)


class LesionVoxels:
    """Voxels of the baseline grid that each lesion covers at any time.

    Parameters
    ----------
    drawing
        What was drawn; only what an edit touches is carried again after it.
    maps
        Transforms of the sessions.

    Notes
    -----
    Onset, vein and follow-up regions lie on the baseline grid. Of a FLAIR region every voxel that it reaches counts:
    its voxels are split into parts of at most 0.5 mm, and each part marks the voxel that it lies in.
    """

    def __init__(self, drawing: Drawing, maps: PatientMaps) -> None:
        self._drawing, self._maps = drawing, maps
        self._carried: dict[Plane, dict[int, NDArray[np.int64]]] = {}
        self._joined: dict[int, NDArray[np.int64]] | None = None
        self.not_aligned: tuple[str, ...] = ()
        """Sessions whose FLAIR regions count nowhere, since their FLAIR is not aligned."""
        drawing.changed.connect(self._follow)

    def all(self) -> dict[int, NDArray[np.int64]]:
        """(n,) flat index of the voxels of every lesion that has any, ascending."""
        if self._joined is None:
            parts: dict[int, list[NDArray[np.int64]]] = {}
            missing = []
            for plane in self._drawing.planes:
                if plane.kind not in _LESIONS:
                    continue
                carried = self._of(plane)
                if carried is None:
                    missing.append(plane.session)
                    continue
                for label, index in carried.items():
                    parts.setdefault(label, []).append(index)
            self.not_aligned = tuple(missing)
            self._joined = {label: np.unique(np.concatenate(found)) for label, found in sorted(parts.items())}
        return self._joined

    def forget(self) -> None:
        """Carry everything again: alignments have changed."""
        self._carried.clear()
        self._joined = None

    def _of(self, plane: Plane) -> dict[int, NDArray[np.int64]] | None:
        """Voxels of the lesions of one plane; None where they cannot be carried."""
        labels = self._drawing.labels_on(plane)
        if not labels:
            self._carried[plane] = {}
            return {}
        transform = None
        if plane.kind is PlaneKind.FLAIR:
            transform = self._maps.transform(plane.session, "FLAIR")
            if transform is None:
                return None
        known = self._carried.setdefault(plane, {})
        for label in set(known) - set(labels):
            del known[label]
        for label in labels:
            if label not in known:
                index = label_index(self._drawing.labels(plane), label, self._drawing.box(plane, label))
                if transform is not None:
                    index = reached(index, self._drawing.grid(plane), self._maps.grid, transform.inverse())
                known[label] = index
        return {label: index for label, index in known.items() if index.size}

    def _follow(self, edit: Edit, _: str) -> None:
        for change in edit.voxels:
            if change.plane.kind not in _LESIONS:
                continue
            self._joined = None
            known = self._carried.get(change.plane, {})
            for label in np.union1d(np.unique(change.before), np.unique(change.after)):
                known.pop(int(label), None)


def reached(index: NDArray[np.int64], grid: Grid, onto: Grid, transform: AffineTransform) -> NDArray[np.int64]:
    """(m,) flat index of the voxels of another grid in which parts of voxels lie, ascending.

    Parameters
    ----------
    index
        (n,) flat index on ``grid``.
    grid, onto
        From where to where.
    transform
        Scanner positions on ``grid`` → those on ``onto``, mm.
    """
    to_onto = np.linalg.inv(onto.affine) @ transform.matrix @ grid.affine
    parts = [max(1, int(np.ceil(step / _PART_MM))) for step in grid.voxel_size_mm]
    x, y, z = ((np.arange(n) + 0.5) / n - 0.5 for n in parts)
    centres = to_onto[:3, :3] @ np.stack(np.unravel_index(index, grid.shape)) + to_onto[:3, 3:]
    offsets = to_onto[:3, :3] @ np.stack(np.meshgrid(x, y, z, indexing="ij")).reshape(3, -1)
    at = np.rint(centres[:, :, None] + offsets[:, None, :]).astype(np.int64).reshape(3, -1)
    inside = np.all((at >= 0) & (at < np.array(onto.shape)[:, None]), axis=0)
    return np.unique(np.ravel_multi_index(tuple(at[:, inside]), onto.shape)).astype(np.int64)
