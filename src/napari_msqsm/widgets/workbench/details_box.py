"""What the reader says about the chosen lesion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFormLayout, QLineEdit, QWidget

from napari_msqsm.widgets.settings_form import Choice

if TYPE_CHECKING:
    from napari_msqsm.widgets.workbench.actions import LesionActions
    from napari_msqsm.widgets.workbench.work import WorkbenchWork

_ENHANCEMENT = (("not said", None), ("nodular", "nodular"), ("shell", "shell"))
_VEIN = (("not said", None), ("yes", True), ("no", False))
_ONSET = (
    ("not said", None),
    ("new", "new"),
    ("re-enhancing", "re-enhancing"),
    ("no earlier scan", "no earlier scan"),
)


class DetailsBox(QWidget):
    """A form whose changes are edits like any other."""

    def __init__(self, work: WorkbenchWork, actions: LesionActions) -> None:
        super().__init__()
        self._work, self._actions = work, actions
        form = QFormLayout(self)
        form.setContentsMargins(0, 4, 0, 0)
        self.onset, self.enhancement, self.vein = (_box(items) for items in (_ONSET, _ENHANCEMENT, _VEIN))
        self.note, self.excluded = QLineEdit(), QLineEdit()
        self.excluded.setPlaceholderText("empty: it is analysed")
        self.excluded.setToolTip("Why this lesion is left out of the analysis")
        self.onset.activated.connect(lambda: actions.change(onset=self.onset.currentData()))
        self.enhancement.activated.connect(lambda: actions.change(enhancement=self.enhancement.currentData()))
        self.vein.activated.connect(lambda: actions.change(central_vein=self.vein.currentData()))
        self.note.editingFinished.connect(lambda: actions.change(note=self.note.text().strip()))
        self.excluded.editingFinished.connect(lambda: actions.change(excluded=self.excluded.text().strip()))
        form.addRow("Onset", self.onset)
        form.addRow("Enhancement", self.enhancement)
        form.addRow("Central vein", self.vein)
        form.addRow("Note", self.note)
        form.addRow("Left out, since", self.excluded)
        for signal in (work.opened, work.changed, work.selected):
            signal.connect(self.renew)
        self.renew()

    def renew(self, *_: object) -> None:
        """Show the chosen lesion as it is now."""
        drawing = self._work.drawing
        lesion = None if drawing is None else drawing.lesion(self._work.label)
        self.setEnabled(lesion is not None)
        for box, value in (
            (self.onset, None if lesion is None else lesion.onset),
            (self.enhancement, None if lesion is None else lesion.enhancement),
            (self.vein, None if lesion is None else lesion.central_vein),
        ):
            row = next((row for row in range(box.count()) if box.itemData(row) == value), 0)
            box.setCurrentIndex(row)
        for line, text in (
            (self.note, "" if lesion is None else lesion.note),
            (self.excluded, "" if lesion is None else lesion.excluded),
        ):
            if not line.hasFocus():
                line.setText(text)


def _box(items: tuple[tuple[str, object], ...]) -> Choice:
    box = Choice()
    for words, value in items:
        box.addItem(words, value)
    return box
