"""One click on FLAIR: the lesion about it is proposed, made smaller or larger, then accepted or dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import MsqsmError
from napari_msqsm.lesions.tools.proposal import DEFAULT_SIZE, Proposal, propose
from napari_msqsm.widgets.workbench.tool import Tool

if TYPE_CHECKING:
    from napari_msqsm.widgets.workbench.easel import Easel, Spot


class ProposeTool(Tool):
    """Shows a proposal above the lesions until it is accepted or dropped.

    Attributes
    ----------
    size
        Of the proposal, 0…1, see `napari_msqsm.lesions.tools.proposal.Proposal.voxels`.
    """

    title = "one-click proposal"

    def __init__(self) -> None:
        self.size = DEFAULT_SIZE
        self._proposal: Proposal | None = None
        self._turn = 0

    @property
    def proposes(self) -> bool:
        """Whether there is something to accept."""
        return self._proposal is not None

    def press(self, easel: Easel, spot: Spot) -> None:
        """Propose the lesion under the click; computed beside the window."""
        self.drop(easel)
        if not easel.ready():
            return
        if "vein" in easel.regions or easel.image is None:
            easel.tell("the proposal looks at FLAIR; switch to the FLAIR of a session")
            return
        self._turn += 1
        turn, image, labels, label = self._turn, easel.image, easel.labels, easel.label
        size_mm = easel.grid.voxel_size_mm

        def work() -> Proposal | str:
            try:
                return propose(image, labels, size_mm, spot.voxel, label=label)
            except MsqsmError as error:
                return str(error)

        def done(result: Proposal | str) -> None:
            if turn != self._turn:
                return
            if isinstance(result, str):
                easel.tell(result)
                return
            self._proposal = result
            self.set_size(easel, DEFAULT_SIZE)
            if result.is_cut:
                easel.tell("the proposal reaches the edge of what was looked at; make it smaller or draw on")

        easel.beside(work, done)

    def set_size(self, easel: Easel, size: float) -> None:
        """Make the proposal smaller or larger; 0 is the voxel of the click, 1 the largest."""
        self.size = float(np.clip(size, 0.0, 1.0))
        if self._proposal is not None:
            easel.preview(self._proposal.voxels(self.size))
        easel.proposed(self.size if self._proposal is not None else None)

    def accept(self, easel: Easel) -> bool:
        """Make the proposal part of the lesion."""
        if self._proposal is None:
            return False
        index = self._proposal.voxels(self.size)
        self.drop(easel)
        easel.write(index, easel.label)
        easel.finish(self.title)
        return True

    def drop(self, easel: Easel) -> bool:
        """Take the proposal off, also one that is still being computed."""
        self._turn += 1
        if self._proposal is None:
            return False
        self._proposal = None
        easel.preview(np.empty(0, dtype=np.int64))
        easel.proposed(None)
        return True
