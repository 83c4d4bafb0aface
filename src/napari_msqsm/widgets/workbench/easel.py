"""What a tool works on: the lesion that is drawn, the image under it, and what may be written where."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from napari_msqsm.workspace.drawing.plane import ONSET

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.widgets.workbench.regions import Pen, Regions
    from napari_msqsm.workspace.drawing.drawing import Drawing

Where = Literal["lesions", "vein", "nawm"]


class Spot(NamedTuple):
    """Where the mouse is.

    Parameters
    ----------
    voxel
        (3,) position in voxels (X, Y, Z).
    axis
        Axis of the image, 0…2, perpendicular to the slice that is seen.
    shift
        Whether Shift is held: what draws erases.
    """

    voxel: tuple[float, float, float]
    axis: int
    shift: bool = False


class Easel:
    """Of one session as it is shown.

    Parameters
    ----------
    drawing, pen
        What is written to, and with what.
    regions
        What is seen of lesions, and where they can be drawn here of veins and of reference regions.
    image
        (X, Y, Z) values under them, for tools that look at intensities; None where there are none.
    refresh
        Called with what has changed: show it.
    preview
        Called with the flat index of voxels to show as a proposal; with none to take it off.
    proposed
        Called with the size of the proposal that is shown, 0…1, or None where there is none any more.
    beside
        Does the first function in another thread, then the second with its result in this one.
    finish
        Called with a title: what was written since the last time is one step.
    tell
        Called with one sentence for the reader.
    """

    def __init__(
        self,
        drawing: Drawing,
        pen: Pen,
        regions: dict[Where, Regions],
        image: NDArray[np.float32] | None,
        *,
        refresh: Callable[[Where], None],
        preview: Callable[[NDArray[np.int64]], None],
        proposed: Callable[[float | None], None],
        beside: Callable[[Callable[[], Any], Callable[[Any], None]], None],
        finish: Callable[[str], object],
        tell: Callable[[str], None],
    ) -> None:
        self.drawing, self.pen, self.regions, self.image = drawing, pen, regions, image
        self.radius_mm = 1.5
        self.in_space = False
        self.refresh, self.preview, self.proposed = refresh, preview, proposed
        self.beside, self.finish, self.tell = beside, finish, tell

    @property
    def grid(self) -> Grid:
        """Grid that is drawn on."""
        return self.regions["lesions"].grid

    @property
    def label(self) -> int:
        """Lesion that is drawn; 0 for none."""
        return self.pen.label

    @property
    def labels(self) -> NDArray[np.uint16]:
        """(X, Y, Z) live labels of the plane that the lesion is drawn on here."""
        return self.drawing.labels(self.regions["lesions"].plane_of(self.label))

    def ready(self, where: Where = "lesions") -> bool:
        """Whether it can be drawn there; tells the reader where not."""
        if self.drawing.read_only:
            self.tell(self.drawing.read_only)
        elif where not in self.regions:
            self.tell(f"{_WORDS[where]} is drawn on QSM; switch to the QSM of a session")
        elif self.label == 0:
            self.tell("no lesion is chosen; choose one in the list or add one")
        else:
            return True
        return False

    def write(self, index: NDArray[np.int64], value: Any, where: Where = "lesions") -> int:
        """Give voxels a label where that is allowed; returns how many changed."""
        allowed = None
        if where == "vein" and np.any(value):
            allowed = self._in_lesion
        elif where == "nawm" and np.any(value):
            allowed = self._outside_lesions
        changed = self.pen.write(self.regions[where], index, value, allowed=allowed)
        if changed.size:
            self.refresh(where)
        return int(changed.size)

    def _in_lesion(self, index: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.asarray(self.regions["lesions"].at(index) == self.label)

    def _outside_lesions(self, index: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.asarray((self.regions["lesions"].at(index) == 0) & (self.drawing.labels(ONSET).ravel()[index] == 0))


_WORDS: dict[Where, str] = {"lesions": "a lesion", "vein": "the central vein", "nawm": "a reference region"}
