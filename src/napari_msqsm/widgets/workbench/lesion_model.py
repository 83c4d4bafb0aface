"""The list of lesions, as a table model: 300 rows cost what the visible ones cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QColor

from napari_msqsm.widgets.workbench.lesion_colours import lesion_colour
from napari_msqsm.workspace.drawing.plane import ONSET, Plane

if TYPE_CHECKING:
    from napari_msqsm.model.lesion import Lesion
    from napari_msqsm.workflow.workbench.tracking import Tracked
    from napari_msqsm.workspace.drawing.drawing import Drawing

COLUMNS = ("Lesion", "Onset", "FLAIR mm³", "Since", "To do")
_TIPS = (
    "Name of the lesion",
    "Session at which it first enhances",
    "Volume on the FLAIR of its onset session",
    "What became of it at the last session on which it was compared",
    "What is missing",
)


class LesionModel(QAbstractTableModel):
    """Lesions of a drawing."""

    def __init__(self) -> None:
        super().__init__()
        self._drawing: Drawing | None = None
        self._tracked: Tracked | None = None
        self._lesions: tuple[Lesion, ...] = ()

    def set_drawing(self, drawing: Drawing | None) -> None:
        """Take another drawing."""
        self.beginResetModel()
        self._drawing = drawing
        self._lesions = () if drawing is None else drawing.lesions
        self.endResetModel()

    def set_tracked(self, tracked: Tracked | None) -> None:
        """Take what became of the lesions from session to session."""
        self._tracked = tracked
        self._tell_all()

    def renew(self) -> None:
        """Show the drawing as it is now."""
        lesions = () if self._drawing is None else self._drawing.lesions
        if [each.label for each in lesions] != [each.label for each in self._lesions]:
            self.set_drawing(self._drawing)
        else:
            self._lesions = lesions
            self._tell_all()

    def label(self, row: int) -> int:
        """Label of a row; 0 where there is none."""
        return self._lesions[row].label if 0 <= row < len(self._lesions) else 0

    def row(self, label: int) -> int:
        """Row of a label; −1 where there is none."""
        return next((row for row, each in enumerate(self._lesions) if each.label == label), -1)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of lesions."""
        return 0 if parent is not None and parent.isValid() else len(self._lesions)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the titles of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.ToolTipRole:
            return _TIPS[section]
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        if not index.isValid() or index.row() >= len(self._lesions):
            return None
        lesion = self._lesions[index.row()]
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return QColor.fromRgbF(*lesion_colour(lesion.label))
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._text(lesion, index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == 2:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def _text(self, lesion: Lesion, column: int) -> str:
        drawing = self._drawing
        if drawing is None:
            return ""
        plane = Plane.flair(lesion.onset_session)
        if column == 0:
            return lesion.lesion_id
        if column == 1:
            return short(lesion.onset_session) or "?"
        if column == 2:
            n = drawing.voxels(plane, lesion.label).size if plane in drawing.planes else 0
            return f"{n * drawing.grid(plane).voxel_volume_mm3:.0f}" if n else "–"
        if column == 3:
            states = () if self._tracked is None else self._tracked.of(lesion.label)
            return f"{states[-1][1].state} ({short(states[-1][0])})" if states else ""
        return to_do(drawing, lesion)

    def _tell_all(self) -> None:
        if self._lesions:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._lesions) - 1, len(COLUMNS) - 1))


def short(session: str) -> str:
    """Session without its patient: ``ses-02``."""
    return session.partition("_")[2] or session


def to_do(drawing: Drawing, lesion: Lesion) -> str:
    """Say what a lesion lacks next, in a few words; empty where nothing does."""
    plane = Plane.flair(lesion.onset_session)
    if lesion.excluded:
        return "excluded"
    if not lesion.onset_session:
        return "mark its onset"
    if drawing.box(ONSET, lesion.label) is None:
        drawn = plane in drawing.planes and drawing.box(plane, lesion.label) is not None
        return "carry to QSM" if drawn else "draw it"
    states = [each for each in drawing.follow_ups if each.label == lesion.label and each.propagated]
    if not states:
        return "propagate"
    waiting = sum(not each.reviewed for each in states)
    return f"{waiting} not reviewed" if waiting else ""
