"""A row of a dialog that asks for files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

NIFTI_FILTER = "NIfTI (*.nii *.nii.gz)"


def file_row(shown: QWidget, choose: Callable[[], None]) -> QWidget:
    """Make a row of what was chosen and a button that asks for it."""
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    button = QPushButton("Choose…")
    button.clicked.connect(choose)
    line.addWidget(shown, 1)
    line.addWidget(button)
    return row
