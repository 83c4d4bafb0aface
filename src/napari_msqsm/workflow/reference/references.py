"""References of all lesions of a patient, kept up to date while lesions are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.lesions.reference.ring import ring_of
from napari_msqsm.workflow.reconstruct import CACHE_NAME
from napari_msqsm.workflow.reference.lesion_voxels import LesionVoxels
from napari_msqsm.workflow.reference.region import ReferenceRegion, covered_voxels
from napari_msqsm.workflow.reference.settings import ReferenceSettings
from napari_msqsm.workflow.reference.white_matter import WhiteMatter, white_matter_of
from napari_msqsm.workflow.store import ResultStore
from napari_msqsm.workspace.drawing.edit import label_index
from napari_msqsm.workspace.drawing.plane import NAWM

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from napari_msqsm.lesions.reference.ring import Ring, Side
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing
    from napari_msqsm.workspace.drawing.edit import Edit

_COUNTS = 0.5
"""A session that covers less of a ring than this does not narrow it; the reference is missing there."""


class References:
    """Reference regions of a patient.

    Parameters
    ----------
    drawing
        What was drawn. Every edit that changes voxels makes the regions anew, when they are asked for.
    maps
        Images of the patient.
    settings
        How references are found.
    store
        Where the white matter is kept; the cache folder of the derivatives when not given.

    Notes
    -----
    The white matter takes some seconds and is found once, when the first region is asked for (`prepare` does so
    beforehand, in a thread). After that a region takes milliseconds.
    """

    def __init__(
        self,
        drawing: Drawing,
        maps: PatientMaps,
        *,
        settings: ReferenceSettings | None = None,
        store: ResultStore | None = None,
    ) -> None:
        self._drawing, self._maps = drawing, maps
        self.settings = settings or ReferenceSettings()
        self._store = store or ResultStore((maps.out_dir or maps.study.derivatives_root) / CACHE_NAME)
        self._voxels = LesionVoxels(drawing, maps)
        self._white: WhiteMatter | None = None
        self._regions: dict[int, ReferenceRegion] = {}
        drawing.changed.connect(self._follow)

    @property
    def white_matter(self) -> WhiteMatter:
        """White matter that the regions are taken from."""
        if self._white is None:
            self._white = white_matter_of(self._maps, self.settings, store=self._store)
        return self._white

    def prepare(self) -> None:
        """Find the white matter and read all maps, so that regions come at once afterwards."""
        for session in self._maps.sessions:
            self._maps.map(session.label)
        self.white_matter  # noqa: B018

    def region(self, label: int) -> ReferenceRegion:
        """Find the reference of one lesion."""
        if label not in self._regions:
            painted = self._drawing.box(NAWM, label)
            if painted is not None:
                self._regions[label] = self._painted(label, label_index(self._drawing.labels(NAWM), label, painted))
            else:
                self._regions[label] = self._ring(label)
        return self._regions[label]

    def forget(self) -> None:
        """Start anew: images, maps or alignments have changed."""
        self._white = None
        self.forget_regions()

    def forget_regions(self) -> None:
        """Find the regions again, in the same white matter: the drawing may have changed while it was looked at."""
        self._regions.clear()
        self._voxels.forget()

    def _painted(self, label: int, index: NDArray[np.int64]) -> ReferenceRegion:
        return ReferenceRegion(label, index, self._maps.grid, "painted", self._side(index), notes=("painted",))

    def _ring(self, label: int) -> ReferenceRegion:
        grid, lesions = self._maps.grid, self._voxels.all()
        if label not in lesions:
            return ReferenceRegion(label, np.empty(0, np.int64), grid, "missing", "both", notes=("nothing is drawn",))
        white = self.white_matter
        left_out: dict[str, None] = {}

        def covered(index: NDArray[np.int64]) -> NDArray[np.bool_]:
            everywhere = np.ones(index.size, dtype=np.bool_)
            left_out.clear()
            for session in self._maps.sessions:
                found = self._maps.map(session.label)
                if found is None:
                    continue
                there = covered_voxels(index, grid, found)
                if index.size and there.mean() < _COUNTS:
                    left_out[session.label] = None
                else:
                    everywhere &= there
            return everywhere

        ring = ring_of(label, lesions, white.ground, grid, white.midplane, covered=covered, settings=self.settings.ring)
        notes = [*_told(ring, self.settings), *(f"{name} covers less than half of it" for name in left_out)]
        notes += [
            f"FLAIR of {name} is not aligned: its lesions are not kept away from" for name in self._voxels.not_aligned
        ]
        return ReferenceRegion(label, ring.index, grid, ring.how, ring.side, ring.outer_mm, tuple(notes))

    def _side(self, index: NDArray[np.int64]) -> Side:
        right = float(np.mean(self.white_matter.midplane.signed_mm(index, self._maps.grid) > 0))
        return "right" if right > 0.95 else "left" if right < 0.05 else "both"

    def _follow(self, edit: Edit, _: str) -> None:
        if edit.voxels:
            self._regions.clear()


def reference_regions(
    drawing: Drawing,
    maps: PatientMaps,
    labels: Iterable[int] | None = None,
    *,
    settings: ReferenceSettings | None = None,
    cache: References | None = None,
) -> dict[int, ReferenceRegion]:
    """Find the references of lesions.

    Parameters
    ----------
    drawing, maps
        What was drawn, and the images of the patient.
    labels
        Which lesions; all of the drawing when not given.
    settings
        How; not looked at where a cache is given, which has its own.
    cache
        What was found before for the same drawing and maps.

    Returns
    -------
    dict
        Label of the lesion → its reference.
    """
    references = cache or References(drawing, maps, settings=settings)
    wanted = [lesion.label for lesion in drawing.lesions] if labels is None else list(labels)
    return {label: references.region(label) for label in wanted}


def _told(ring: Ring, settings: ReferenceSettings) -> list[str]:
    """Say what the reader has to know of a ring."""
    least = settings.ring.least_mm3
    if ring.how == "grown":
        return [f"the ring held less than {least:g} mm³ of white matter and was grown to {ring.outer_mm:g} mm"]
    if ring.how == "mirrored":
        return [f"taken from the {ring.side} hemisphere, where fibres run another way: as chosen"]
    if ring.how == "missing":
        return [f"less than {least:g} mm³ of white matter up to {ring.outer_mm:g} mm on its side; paint a reference"]
    return []
