"""First step of an import: which DICOM folder, into which study, and where the private key goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFileDialog, QFormLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_msqsm.errors import ParameterError
from napari_msqsm.widgets.file_row import file_row
from napari_msqsm.widgets.import_work import ImportRequest
from napari_msqsm.workflow.dicom_import.key_file import key_path, refuse_inside

if TYPE_CHECKING:
    from collections.abc import Callable

_WHAT = (
    "<b>Import DICOM.</b> Choose a folder, or drop it here: folders within it, several patients, visits and scanners "
    "are sorted. Nothing is written into the study before you have seen what becomes of every series."
)
_KEY = (
    "The <b>private key</b> is a table of patients' names on the scanner, their names in the study and the number of "
    "days by which their dates are shifted. Whoever has it can tell who the patients are: keep it where only those who "
    "may know can read it, never inside the study. With it, later visits of a patient get the same name and fit in "
    "date; without it they cannot be added."
)


class ImportChoose(QWidget):
    """Asks for folders.

    Signals
    -------
    chosen
        An `ImportRequest` that is complete.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.dicom_dir, self.bids_dir, self.key_file = QLineEdit(), QLineEdit(), QLineEdit()
        self.bids_dir.setPlaceholderText("a new folder, or a BIDS study that it is added to")
        self.bids_dir.textChanged.connect(self._renew_key)
        self._renew_key()
        form = QFormLayout()
        form.addRow("DICOM folder", file_row(self.dicom_dir, self._choose_dicom))
        form.addRow("Study folder", file_row(self.bids_dir, self._choose_study))
        form.addRow("Private key", file_row(self.key_file, self._choose_key))
        what, about_key = _words(_WHAT), _words(_KEY)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.hide()
        self.read_button = QPushButton("Read the folder")
        self.read_button.clicked.connect(self.read)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(what)
        column.addLayout(form)
        column.addWidget(about_key)
        column.addWidget(self.problem)
        column.addWidget(self.read_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)

    def propose(self, dicom_dir: Path) -> None:
        """Fill in a DICOM folder, and a new study beside it unless one is named already."""
        self.say("")
        self.dicom_dir.setText(str(dicom_dir))
        if not self.bids_dir.text().strip():
            self.bids_dir.setText(str(dicom_dir.with_name(f"{dicom_dir.name}-bids")))

    def request(self) -> ImportRequest | None:
        """Return what was chosen; None, and a sentence on screen, while something is missing."""
        dicom, bids, key = (line.text().strip() for line in (self.dicom_dir, self.bids_dir, self.key_file))
        if not dicom:
            self.say("Choose the DICOM folder.")
        elif not Path(dicom).expanduser().is_dir():
            self.say(f"There is no folder {dicom}.")
        elif not bids:
            self.say("Choose the study folder that the images go to.")
        else:
            return self._checked(ImportRequest(Path(dicom).expanduser(), Path(bids).expanduser(), _path(key)))
        return None

    def read(self) -> None:
        """Go on, where everything is chosen."""
        request = self.request()
        if request is not None:
            self.say("")
            self.chosen.emit(request)

    def say(self, sentence: str) -> None:
        """Show what is wrong, or nothing."""
        self.problem.setText(f"⚠ {sentence}")
        self.problem.setVisible(bool(sentence))

    def _checked(self, request: ImportRequest) -> ImportRequest | None:
        try:
            if request.key_file is not None:
                refuse_inside(request.bids_dir, request.key_file, "the private key")
        except ParameterError as error:
            self.say(f"{str(error)[:1].upper()}{str(error)[1:]}.")
            return None
        return request

    def _choose_dicom(self) -> None:
        self._ask_folder("Choose a DICOM folder", self.dicom_dir, self.propose)

    def _choose_study(self) -> None:
        self._ask_folder("Choose or make the study folder", self.bids_dir, lambda it: self.bids_dir.setText(str(it)))

    def _choose_key(self) -> None:
        start = self.key_file.text().strip() or str(Path.home())
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Private key: a new file, or that of this study", start, options=_KEEP_IT
        )
        if chosen:
            self.key_file.setText(chosen)

    def _ask_folder(self, title: str, line: QLineEdit, take: Callable[[Path], None]) -> None:
        start = line.text().strip() or str(Path.home())
        chosen = QFileDialog.getExistingDirectory(self, title, start)
        if chosen:
            take(Path(chosen))

    def _renew_key(self) -> None:
        """Say where the key is unless another place is named."""
        bids = self.bids_dir.text().strip()
        place = str(key_path(Path(bids).expanduser(), None)) if bids else ""
        self.key_file.setPlaceholderText(place or "beside the study folder")


_KEEP_IT = QFileDialog.Option.DontConfirmOverwrite
"""A key that is there is read and added to."""


def _path(text: str) -> Path | None:
    return Path(text).expanduser() if text else None


def _words(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    return label
