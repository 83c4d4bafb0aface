"""Taking an existing susceptibility map instead of reconstructing one."""

from __future__ import annotations

from typing import Literal, cast

from qtpy.QtWidgets import QCheckBox, QComboBox, QWidget

from napari_msqsm.widgets.ask_dialog import AskDialog
from napari_msqsm.workflow.bring_in.susceptibility import ExistingMap

_CHOOSE = "choose…"
_UNITS = {"ppm": "ppm", "ppb": "ppb", "told from its values": None}
_MAPS = "Maps (*.nii *.nii.gz *.mat)"


class MapDialog(AskDialog):
    """A map, its unit, and regions that give its zero and tell its sign."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Take an existing susceptibility map", parent)
        self.unit = QComboBox()
        self.unit.addItems([_CHOOSE, *_UNITS])
        self.negate = QCheckBox("the map has the opposite sign")
        self.add_file("path", "Map", kinds=_MAPS)
        self.form.addRow("Its unit", self.unit)
        self.add_file("mask", "Mask (optional)")
        self.add_file("reference_mask", "Zero is the mean of (optional)")
        tip = "Deep grey nuclei or veins: tells whether the sign is right"
        self.add_file("paramagnetic_mask", "Paramagnetic region (optional)", tip=tip)
        self.overwrite = QCheckBox("replace the map that the session has")
        self.form.addRow("", self.negate)
        self.form.addRow("", self.overwrite)

    def chosen(self) -> ExistingMap:
        """Return what was chosen."""
        paths = {name: path for name in self.fields if (path := self.path(name)) is not None}
        unit = cast("Literal['ppm', 'ppb']", _UNITS.get(self.unit.currentText()))
        return ExistingMap(unit=unit, negate=self.negate.isChecked(), **paths)

    def missing(self) -> str:
        """Say what is not chosen yet."""
        if self.path("path") is None:
            return "Choose the map."
        return "Say in which unit it is." if self.unit.currentText() == _CHOOSE else ""
