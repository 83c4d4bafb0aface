"""What happens to an import whose panel is closed before it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QMessageBox, QWidget

if TYPE_CHECKING:
    from napari_msqsm.widgets.import_work import ImportWork

_ASKED = (
    "The DICOM import is not written yet. What was read lies in a private folder beside the study, with the patients' "
    "names in it."
)
_MORE = "Keep it, to go on when the Import panel is opened again (it goes when the window is closed), or remove it now?"


def ask_to_keep(work: ImportWork, window: QWidget) -> None:
    """Ask whether what was read is kept for later; nothing else waits for the answer."""
    QTimer.singleShot(0, lambda: _ask(work, window))


def _ask(work: ImportWork, window: QWidget) -> None:
    if not work.is_private:  # the window has closed, and with it went what was read
        return
    box = QMessageBox(QMessageBox.Icon.Question, "DICOM import", _ASKED, parent=window)
    box.setInformativeText(_MORE)
    box.addButton("Keep for now", QMessageBox.ButtonRole.AcceptRole)
    remove = box.addButton("Remove", QMessageBox.ButtonRole.DestructiveRole)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if remove is not None:
        remove.clicked.connect(work.discard)
    box.open()
