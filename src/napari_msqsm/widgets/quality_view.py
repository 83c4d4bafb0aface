"""Quality of the selected session's map: every number, what it means, and which ones deserve a look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea

from napari_msqsm.widgets.quality_words import quality_html, quality_warnings

if TYPE_CHECKING:
    from napari_msqsm.widgets.coordinator import Coordinator


class QualityView(QScrollArea):
    """Follows the selection."""

    def __init__(self, coordinator: Coordinator) -> None:
        super().__init__()
        self._coordinator = coordinator
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setWidget(self.words)
        self.n_unusual = 0
        self.renew()

    def renew(self) -> None:
        """Show the numbers of the selected session as recorded beside its map."""
        workspace = self._coordinator.workspace
        session = workspace.selected
        quality = {} if session is None else workspace.status(session.label).quality
        self.n_unusual = len(quality_warnings(quality))
        self.words.setText(quality_html(quality, has_map=session is not None and "Chimap" in session.derivatives))
