"""Last step of an import: what was written, what was not, where the private key is."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QPushButton, QTextBrowser, QVBoxLayout, QWidget

from napari_msqsm.widgets.import_outcome_words import outcome_html
from napari_msqsm.workflow.dicom_import.importing import ImportOutcome


class ImportDone(QWidget):
    """Shows an outcome.

    Signals
    -------
    again_requested
        Another folder is to be imported.
    """

    again_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.words = QTextBrowser()
        again = QPushButton("Import another folder…")
        again.clicked.connect(self.again_requested)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.words, 1)
        column.addWidget(again, 0, Qt.AlignmentFlag.AlignLeft)

    def show_outcome(self, outcome: ImportOutcome) -> None:
        """Say what was done."""
        self.words.setHtml(outcome_html(outcome))
