"""A look at one series before it is written: its middle slice, as a radiologist sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QImage, QPainter, QPaintEvent, QPixmap
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_msqsm.io.nifti import load_raw
from napari_msqsm.widgets.display import to_display

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.workflow.dicom_import.plan import PlannedSeries

_DARK, _BRIGHT = 0.01, 0.995
_SIDE_PX = 220


@dataclass(frozen=True, eq=False)
class Slice:
    """A slice ready for the screen.

    Parameters
    ----------
    pixels
        (rows, columns), 0…255.
    size_mm
        Width and height.
    """

    pixels: NDArray[np.uint8]
    size_mm: tuple[float, float]


def preview_file(row: PlannedSeries) -> Path | None:
    """File that shows best what a series is: the first one, magnitude where there is any."""
    return row.series.images[0].path if row.series.images else None


def middle_slice(path: Path) -> Slice:
    """Middle axial slice, patient's right on the left, front on top; of several volumes, the first.

    Raises
    ------
    InputError
        When the file cannot be read.
    """
    raw = load_raw(path)
    values = np.abs(raw.array) if np.iscomplexobj(raw.array) else raw.array
    if values.ndim == 4:
        values = values[..., 0]
    placed = to_display(values, raw.grid)
    plane = np.asarray(placed.data[placed.data.shape[0] // 2], dtype=np.float64)
    finite = plane[np.isfinite(plane)]
    low, high = np.quantile(finite, (_DARK, _BRIGHT)) if finite.size else (0.0, 1.0)
    grey = np.clip((np.nan_to_num(plane) - low) / max(high - low, 1e-12), 0.0, 1.0)
    _, dy, dx = placed.scale
    return Slice(np.ascontiguousarray(np.round(255 * grey), dtype=np.uint8), (plane.shape[1] * dx, plane.shape[0] * dy))


class SliceView(QWidget):
    """Draws a slice in its true proportions."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(_SIDE_PX // 2, _SIDE_PX // 2)
        self._pixmap: QPixmap | None = None
        self._size_mm = (1.0, 1.0)

    def sizeHint(self) -> QSize:
        """Ask for a square."""
        return QSize(_SIDE_PX, _SIDE_PX)

    @property
    def has_slice(self) -> bool:
        """Whether a slice is shown."""
        return self._pixmap is not None

    def show_slice(self, slice_: Slice | None) -> None:
        """Show a slice, or nothing."""
        self._pixmap = None
        if slice_ is not None:
            rows, columns = slice_.pixels.shape
            image = QImage(slice_.pixels.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8)
            self._pixmap = QPixmap.fromImage(image)  # a copy: the bytes may go
            self._size_mm = slice_.size_mm
        self.update()

    def paintEvent(self, _: QPaintEvent | None) -> None:
        """Draw the slice and the patient's sides."""
        if self._pixmap is None:
            return
        width_mm, height_mm = self._size_mm
        scale = min(self.width() / width_mm, self.height() / height_mm)
        width, height = max(1, round(width_mm * scale)), max(1, round(height_mm * scale))
        left, top = (self.width() - width) // 2, (self.height() - height) // 2
        drawn = self._pixmap.scaled(
            width, height, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        painter = QPainter(self)
        painter.drawPixmap(left, top, drawn)
        painter.setPen(Qt.GlobalColor.white)
        inside = self.rect().adjusted(left + 4, top + 2, -left - 4, -top - 2)
        painter.drawText(inside, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "R")
        painter.drawText(inside, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, "L")
        painter.end()


def preview_of(row: PlannedSeries) -> Any:
    """Return the slice of a row, or None where the series has no image."""
    path = preview_file(row)
    return None if path is None else middle_slice(path)
