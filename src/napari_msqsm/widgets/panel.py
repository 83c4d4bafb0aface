"""What both panels are: a widget that knows its window's coordinator and goes when it is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QWidget

from napari_msqsm.widgets.coordinator import coordinator_of

if TYPE_CHECKING:
    from napari import Viewer


class Panel(QWidget):
    """A docked panel; napari takes it out of its dock when the user closes it."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.coordinator = coordinator_of(viewer)

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the panel into a dock and out of it."""
        super().changeEvent(event)
        if event is None or event.type() != QEvent.Type.ParentChange:
            return
        if self.parent() is not None:
            self.coordinator.join(self)
        else:
            self.deleteLater()  # else it would go on listening, unseen
