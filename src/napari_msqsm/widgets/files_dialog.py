"""Opening a scan that is not in BIDS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from napari_msqsm.model.gre_files import GreFiles
from napari_msqsm.widgets.file_row import NIFTI_FILTER, file_row

if TYPE_CHECKING:
    from collections.abc import Callable


class FilesDialog(QDialog):
    """Magnitude and phase files, and what their sidecars do not say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Open gradient-echo files")
        self.magnitude: tuple[Path, ...] = ()
        self.phase: tuple[Path, ...] = ()
        self.echo_times = QLineEdit()
        self.echo_times.setPlaceholderText("from the JSON sidecars; in seconds: 0.0067, 0.0108, …")
        self.b0 = QLineEdit()
        self.b0.setPlaceholderText("from the JSON sidecars; in tesla")
        self.phase_range = QLineEdit()
        self.phase_range.setPlaceholderText("stored values of −π and π: -4096, 4096")
        self.out_dir = QLineEdit()
        form = QFormLayout()
        form.addRow("Magnitude", self._picker(self._take_magnitude))
        form.addRow("Phase", self._picker(self._take_phase))
        form.addRow("Echo times (s)", self.echo_times)
        form.addRow("Field strength (T)", self.b0)
        form.addRow("Phase range", self.phase_range)
        form.addRow("Results go to", self.out_dir)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self._accept_if_right)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addWidget(buttons)
        self.resize(560, 0)

    def chosen(self) -> tuple[GreFiles, Path]:
        """Return the files and the folder for results.

        Raises
        ------
        ValueError
            When a field does not hold numbers.
        """
        times = _numbers("echo times", self.echo_times.text())
        b0 = _numbers("field strength", self.b0.text())
        limits = _numbers("phase range", self.phase_range.text())
        if len(b0) > 1:
            raise ValueError("the field strength is one number")
        if limits and len(limits) != 2:
            raise ValueError("the phase range is two numbers")
        files = GreFiles(
            magnitude=self.magnitude,
            phase=self.phase,
            echo_times_s=times or None,
            b0_tesla=b0[0] if b0 else None,
            phase_range=(limits[0], limits[1]) if limits else None,
        )
        return files, Path(self.out_dir.text()).expanduser()

    def _accept_if_right(self) -> None:
        try:
            files, _ = self.chosen()
        except ValueError as error:
            self.problem.setText(f"{str(error)[:1].upper()}{str(error)[1:]}.")
            return
        if not files.magnitude or not files.phase:
            self.problem.setText("Choose the magnitude and the phase files.")
            return
        if not self.out_dir.text().strip():
            self.problem.setText("Say where the results go.")
            return
        self.accept()

    def _picker(self, take: Callable[[tuple[Path, ...]], None]) -> QWidget:
        said = QLabel("one file per echo, or a 4-D stack")

        def choose() -> None:
            names, _ = QFileDialog.getOpenFileNames(self, "Choose files", str(Path.home()), NIFTI_FILTER)
            if names:
                take(tuple(Path(name) for name in names))
                more = f" and {len(names) - 1} more" if len(names) > 1 else ""
                said.setText(Path(names[0]).name + more)

        return file_row(said, choose)

    def _take_magnitude(self, paths: tuple[Path, ...]) -> None:
        self.magnitude = paths
        self.out_dir.setText(str(paths[0].parent / "msqsm"))

    def _take_phase(self, paths: tuple[Path, ...]) -> None:
        self.phase = paths


def _numbers(what: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.replace(",", " ").replace(";", " ").split())
    except ValueError:
        raise ValueError(f"{text!r} is not a list of numbers for the {what}") from None
