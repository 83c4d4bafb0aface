"""Which columns of a foreign table are the ones that a growth model needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from napari_msqsm.growth.cleaning import KEYS
from napari_msqsm.widgets.settings_form import Choice

if TYPE_CHECKING:
    from collections.abc import Sequence

WANTED = (*KEYS, "chi_ppb")
_MEANING = {
    "patient_id": "patient",
    "lesion_id": "lesion",
    "lesion_age_y": "lesion age in years, 0 at onset",
    "rim": "rim: rim+ / rim-, or 1 / 0",
    "chi_ppb": "what is explained, χ in ppb",
}
_GUESSES = {
    "patient_id": ("patient", "subject", "participant", "sub", "id"),
    "lesion_id": ("lesion", "roi"),
    "lesion_age_y": ("age", "time", "year"),
    "rim": ("rim", "prl", "group"),
    "chi_ppb": ("chi", "qsm", "suscept"),
}


def guessed(wanted: str, columns: Sequence[str]) -> str:
    """Return the column that a name probably means; the first one where none stands out."""
    if wanted in columns:
        return wanted
    for word in _GUESSES.get(wanted, ()):
        for column in columns:
            if word in column.lower():
                return column
    return columns[0]


class ColumnsDialog(QDialog):
    """Asks which column is which."""

    def __init__(self, columns: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Columns of the table")
        column = QVBoxLayout(self)
        words = QLabel("This table has names of its own. Which columns are these?")
        words.setWordWrap(True)
        column.addWidget(words)
        form = QFormLayout()
        self.boxes: dict[str, Choice] = {}
        for name in WANTED:
            box = Choice()
            for each in columns:
                box.add(each, each)
            box.setCurrentIndex(box.findData(guessed(name, columns)))
            self.boxes[name] = box
            form.addRow(_MEANING[name], box)
        column.addLayout(form)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)

    def names(self) -> dict[str, str]:
        """Return the new name of each chosen column."""
        return {str(box.currentData()): name for name, box in self.boxes.items()}
