"""What both panels are: a widget that knows its window's coordinator and goes when it is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QMainWindow, QSizePolicy, QWidget

from napari_msqsm.widgets.coordinator import coordinator_of

if TYPE_CHECKING:
    from napari import Viewer


class Panel(QWidget):
    """A docked panel; napari takes it out of its dock when the user closes it."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._when_docked = QTimer(self)  # the dock comes into the window after the panel into the dock
        self._when_docked.setSingleShot(True)
        self._when_docked.setInterval(0)
        self._when_docked.timeout.connect(self._join)
        self.viewer = viewer
        self.coordinator = coordinator_of(viewer)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)  # else napari adds empty space

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the panel into a dock and out of it."""
        super().changeEvent(event)
        if event is None or event.type() != QEvent.Type.ParentChange:
            return
        if self.parent() is None:
            self.deleteLater()  # else it would go on listening, unseen
        else:
            self._when_docked.start()

    def _join(self) -> None:
        above = self.parent()
        while above is not None and not isinstance(above, QMainWindow):
            above = above.parent()
        if above is not None:
            self.coordinator.join(above)
