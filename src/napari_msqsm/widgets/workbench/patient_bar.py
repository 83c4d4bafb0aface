"""Which patient is open, who reads, what is saved; and what was not saved the last time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QInputDialog, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_msqsm.widgets.initials import initials, remember_initials

if TYPE_CHECKING:
    from napari_msqsm.widgets.coordinator import Coordinator
    from napari_msqsm.widgets.workbench.work import WorkbenchWork

_NO_STUDY = "Open a study in the Study panel; then draw the lesions of the selected patient here."
_NO_MAP = (
    "No susceptibility map of {} yet: reconstruct it (panel Reconstruct) to see χ here. FLAIR can be drawn on now."
)
_NOT_ALIGNED = "{} is not aligned: run the Coregister panel, else nothing can be carried over."


class PatientBar(QWidget):
    """The head of the Lesions panel."""

    def __init__(self, work: WorkbenchWork, coordinator: Coordinator) -> None:
        super().__init__()
        self._work, self._coordinator = work, coordinator
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        line = QHBoxLayout()
        self.open_button = QPushButton("Open")
        self.open_button.clicked.connect(self.open_selected)
        self.save_button = QPushButton("Save")
        self.save_button.clicked.connect(work.save)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        line.addWidget(self.words, 1)
        line.addWidget(self.open_button)
        line.addWidget(self.save_button)
        column.addLayout(line)
        self.recovery = QLabel()
        self.recovery.setWordWrap(True)
        self.recovery.setTextFormat(Qt.TextFormat.PlainText)
        self.recover_button, self.aside_button = QPushButton("Recover"), QPushButton("Set aside")
        self.recover_button.clicked.connect(work.recover)
        self.aside_button.clicked.connect(work.set_aside)
        offer = QHBoxLayout()
        offer.addWidget(self.recovery, 1)
        offer.addWidget(self.recover_button)
        offer.addWidget(self.aside_button)
        column.addLayout(offer)
        self.hints = QLabel()
        self.hints.setWordWrap(True)
        self.hints.setTextFormat(Qt.TextFormat.PlainText)
        column.addWidget(self.hints)
        work.opened.connect(self.renew)
        self.renew()

    def open_selected(self) -> None:
        """Open the selected patient; asks once who reads."""
        selected = self._coordinator.workspace.selected
        if selected is None:
            return
        if not initials():
            name, given = QInputDialog.getText(self, "Who reads?", "Your initials, written beside every step:")
            if not given or not name.strip():
                return
            remember_initials(name.strip())
        self._work.open_patient(selected.patient_id)

    def on_study(self) -> None:
        """Another study, or the same one read again."""
        study, drawing = self._coordinator.workspace.study, self._work.drawing
        if drawing is not None and self._work.maps is not None:
            same = study is not None and study.root == self._work.maps.study.root
            if same:
                self._work.renew_images()
            else:
                self._work.close()
        self.renew()

    def renew(self) -> None:
        """Show what is open now."""
        selected, found = self._coordinator.workspace.selected, self._work.open
        files = self._coordinator.workspace.files is not None
        can_open = selected is not None and not files and selected.patient_id != self._work.patient_id
        self.open_button.setVisible(can_open)
        self.save_button.setVisible(found is not None)
        if selected is not None:
            self.open_button.setText(f"Open sub-{selected.patient_id}")
        offer = None if found is None else found.recovery
        for widget in (self.recovery, self.recover_button, self.aside_button):
            widget.setVisible(offer is not None)
        self.recovery.setText("" if offer is None else f"⚠ {offer.sentence}.")
        if found is None:
            self.words.setText(_NO_STUDY if selected is None or files else "No patient is open to draw on.")
            self.hints.hide()
            return
        unsaved = found.unsaved
        self.save_button.setEnabled(bool(unsaved) and not found.drawing.read_only)
        state = f"{unsaved} step{'s' * (unsaved != 1)} in the journal" if unsaved else "saved"
        if found.drawing.read_only:
            state = "read-only"
        self.words.setText(f"sub-{self._work.patient_id} · read by {found.drawing.reader or '?'} · {state}")
        self._show_hints()

    def _show_hints(self) -> None:
        maps, hints = self._work.maps, []
        if maps is not None:
            unaligned = [each.session_id for each in maps.sessions if maps.transform(each.label) is None]
            without = [each.session_id for each in maps.sessions if "Chimap" not in each.derivatives]
            if unaligned:
                hints.append(_NOT_ALIGNED.format(", ".join(f"ses-{each}" for each in unaligned)))
            if without:
                hints.append(_NO_MAP.format(", ".join(f"ses-{each}" for each in without)))
        self.hints.setText("\n".join(hints))
        self.hints.setVisible(bool(hints))
