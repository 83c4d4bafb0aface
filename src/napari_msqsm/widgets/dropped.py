"""Folders that are dropped onto a panel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QEvent, QMimeData, QObject
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QWidget


class FolderDrops(QObject):
    """Lets a widget take one folder at a time, and nothing else."""

    def __init__(self, widget: QWidget, take: Callable[[Path], None]) -> None:
        super().__init__(widget)
        self._take = take
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, _: QObject | None, event: QEvent | None) -> bool:
        """Accept a folder that is dragged over the widget; take it when it is dropped."""
        if not isinstance(event, QDropEvent):
            return False
        folder = dropped_folder(event.mimeData())
        if folder is not None:
            event.acceptProposedAction()
            if event.type() == QEvent.Type.Drop:
                self._take(folder)
        return folder is not None


def dropped_folder(data: QMimeData | None) -> Path | None:
    """Return the one folder that is dropped; None for anything else."""
    urls = [] if data is None else data.urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    path = Path(urls[0].toLocalFile())
    return path if path.is_dir() else None
