"""Taking an existing susceptibility map instead of reconstructing one."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from napari_msqsm.widgets.file_row import NIFTI_FILTER, file_row
from napari_msqsm.workflow.bring_in.susceptibility import ExistingMap

_UNITS = {"choose…": None, "ppm": "ppm", "ppb": "ppb"}


class MapDialog(QDialog):
    """A map, its unit, and regions that give its zero and tell its sign."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Take an existing susceptibility map")
        self.unit = QComboBox()
        self.unit.addItems(list(_UNITS))
        self.fields = {name: QLineEdit() for name in ("path", "mask", "reference_mask", "paramagnetic_mask")}
        form = QFormLayout()
        form.addRow("Map", self._picker("path"))
        form.addRow("Its unit", self.unit)
        form.addRow("Mask (optional)", self._picker("mask"))
        form.addRow("Zero is the mean of (optional)", self._picker("reference_mask"))
        form.addRow("Paramagnetic region (optional)", self._picker("paramagnetic_mask"))
        self.fields["paramagnetic_mask"].setToolTip("Deep grey nuclei or veins: tells whether the sign is right")
        self.problem = QLabel()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self._accept_if_complete)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addWidget(buttons)
        self.resize(560, 0)

    def chosen(self) -> ExistingMap:
        """Return what was chosen."""
        paths = {name: Path(line.text()) for name, line in self.fields.items() if line.text().strip()}
        unit = cast("Literal['ppm', 'ppb']", _UNITS[self.unit.currentText()])
        return ExistingMap(unit=unit, **paths)

    def _accept_if_complete(self) -> None:
        if not self.fields["path"].text().strip():
            self.problem.setText("Choose the map.")
        elif _UNITS[self.unit.currentText()] is None:
            self.problem.setText("Say in which unit it is.")
        else:
            self.accept()

    def _picker(self, name: str) -> QWidget:
        def choose() -> None:
            chosen, _ = QFileDialog.getOpenFileName(self, "Choose a file", str(Path.home()), NIFTI_FILTER)
            if chosen:
                self.fields[name].setText(chosen)

        return file_row(self.fields[name], choose)
