"""Taking a mask of another program over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QCheckBox, QComboBox, QWidget

from napari_msqsm.widgets.ask_dialog import AskDialog

if TYPE_CHECKING:
    from napari_msqsm.workflow.bring_in.label_names import MaskKind

_MASKS = "Masks and label images (*.nii *.nii.gz *.mgz)"
_KINDS: dict[str, MaskKind | None] = {
    "choose…": None,
    "brain": "brain",
    "CSF": "csf",
    "white matter": "whitematter",
    "lesions": "lesions",
}


@dataclass(frozen=True)
class MaskChoice:
    """What was chosen; see `napari_msqsm.workflow.bring_in.masks.adopt_mask`."""

    path: Path
    kind: MaskKind
    labels: tuple[int, ...] | None = None
    threshold: float | None = None
    label_names: Path | None = None
    split: bool = False
    overwrite: bool = False


class MaskDialog(AskDialog):
    """A file, what is wanted of it, and what its numbers mean where the file does not tell."""

    def __init__(self, session: str, parent: QWidget | None = None) -> None:
        super().__init__(f"Take a mask over for {session}", parent)
        self.kind = QComboBox()
        self.kind.addItems(list(_KINDS))
        self.add_file("path", "File", kinds=_MASKS, tip="Of LST-AI, SAMSEG, nnU-Net, ITK-SNAP or any other program")
        self.form.addRow("It holds", self.kind)
        self.add_line("labels", "Labels (optional)", hint="numbers that are meant; by name, or all, when empty")
        self.add_line("threshold", "Threshold (optional)", hint="least probability of a probability map; 0.5")
        kinds = "Label names (*.txt *.label *.json);;All files (*)"
        self.add_file("label_names", "Label names (optional)", kinds=kinds)
        self.split = QCheckBox("separate lesions where their voxels do not touch")
        self.overwrite = QCheckBox("replace a mask that was taken over earlier")
        self.form.addRow("", self.split)
        self.form.addRow("", self.overwrite)

    def chosen(self) -> MaskChoice:
        """Return what was chosen.

        Raises
        ------
        ValueError
            When something is missing, or a field does not hold numbers.
        """
        path, kind = self.path("path"), _KINDS[self.kind.currentText()]
        if path is None:
            raise ValueError("Choose the file.")
        if kind is None:
            raise ValueError("Say what it holds.")
        return MaskChoice(
            path,
            kind,
            self._labels(),
            self._threshold(),
            self.path("label_names"),
            self.split.isChecked(),
            self.overwrite.isChecked(),
        )

    def missing(self) -> str:
        """Say what is not right yet."""
        try:
            self.chosen()
        except ValueError as error:
            return str(error)
        return ""

    def _labels(self) -> tuple[int, ...] | None:
        text = self.fields["labels"].text().replace(",", " ").replace(";", " ")
        try:
            return tuple(int(part) for part in text.split()) or None
        except ValueError:
            raise ValueError("Labels are whole numbers, such as 3, 4.") from None

    def _threshold(self) -> float | None:
        text = self.fields["threshold"].text().strip()
        try:
            return float(text) if text else None
        except ValueError:
            raise ValueError("The threshold is a number, such as 0.5.") from None
