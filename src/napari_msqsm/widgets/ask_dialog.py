"""What dialogs that ask for files and a few words have in common."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from napari_msqsm.widgets.file_row import NIFTI_FILTER, file_row


class AskDialog(QDialog):
    """A form, a sentence on what is missing, and two buttons; subclasses add rows and say what is `missing`."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.fields: dict[str, QLineEdit] = {}
        self.form = QFormLayout()
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self._accept_if_complete)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(self.form)
        column.addWidget(self.problem)
        column.addWidget(self.buttons)
        self.resize(560, 0)

    def missing(self) -> str:
        """Say what is not right yet; nothing when all is."""
        return ""

    def path(self, name: str) -> Path | None:
        """File that was chosen."""
        text = self.fields[name].text().strip()
        return Path(text).expanduser() if text else None

    def add_file(self, name: str, title: str, *, kinds: str = NIFTI_FILTER, tip: str = "") -> None:
        """Add a row that asks for a file."""
        line = self.fields[name] = QLineEdit()
        line.setToolTip(tip)

        def choose() -> None:
            chosen, _ = QFileDialog.getOpenFileName(self, "Choose a file", line.text() or str(Path.home()), kinds)
            if chosen:
                line.setText(chosen)

        self.form.addRow(title, file_row(line, choose))

    def add_line(self, name: str, title: str, *, hint: str = "", tip: str = "") -> None:
        """Add a row that asks for words."""
        line = self.fields[name] = QLineEdit()
        line.setPlaceholderText(hint)
        line.setToolTip(tip)
        self.form.addRow(title, line)

    def _accept_if_complete(self) -> None:
        self.problem.setText(self.missing())
        if not self.problem.text():
            self.accept()
