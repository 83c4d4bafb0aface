"""Taking a transform of another program over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QCheckBox, QComboBox, QWidget

from napari_msqsm.widgets.ask_dialog import AskDialog
from napari_msqsm.widgets.initials import initials, remember_initials

if TYPE_CHECKING:
    from napari_msqsm.workflow.bring_in.transform import Target

_TRANSFORMS = "Transforms (*.mat *.txt *.tfm);;All files (*)"
_TARGETS: dict[str, Target] = {
    "the gradient echo of the baseline": "baseline",
    "the gradient echo of its own session": "session",
}


@dataclass(frozen=True)
class TransformChoice:
    """What was chosen; see `napari_msqsm.workflow.bring_in.transform.adopt_transform`."""

    path: Path
    image: str
    to: Target
    inverse: bool
    who: str
    note: str


class TransformDialog(AskDialog):
    """A file, which image it moves to which, and who vouches for it."""

    def __init__(self, session: str, images: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(f"Take a transform over for {session}", parent)
        self.add_file("path", "File", kinds=_TRANSFORMS, tip="FLIRT's .mat, or a linear transform of ITK or ANTs")
        self.image, self.to = QComboBox(), QComboBox()
        self.image.addItems(list(images))
        self.to.addItems(list(_TARGETS))
        self.inverse = QCheckBox("the other way round: the gradient echo was moved to the image")
        self.form.addRow("It moves", self.image)
        self.form.addRow("to", self.to)
        self.form.addRow("", self.inverse)
        self.add_line("who", "Checked by", hint="initials", tip="Who vouches for it; no re-run replaces it")
        self.fields["who"].setText(initials())
        self.add_line("note", "Note (optional)")

    def chosen(self) -> TransformChoice:
        """Return what was chosen.

        Raises
        ------
        ValueError
            When something is missing.
        """
        path, who = self.path("path"), self.fields["who"].text().strip()
        if path is None:
            raise ValueError("Choose the file.")
        if not who:
            raise ValueError("Say who vouches for it.")
        target = _TARGETS[self.to.currentText()]
        note = self.fields["note"].text().strip()
        return TransformChoice(path, self.image.currentText(), target, self.inverse.isChecked(), who, note)

    def missing(self) -> str:
        """Say what is not right yet."""
        try:
            remember_initials(self.chosen().who)
        except ValueError as error:
            return str(error)
        return ""
