"""Which side of the patient is where on the screen."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari import Viewer

_SIDES = {1: ("R", "L"), 2: ("A", "P"), 3: ("I", "S")}
"""Ends of the display axes x, y and z, counted from the last axis: where each begins, where it ends."""
_MARKED: dict[int, SideMarks] = {}
"""Marks of each viewer, as long as it lives."""


def sides_on_screen(order: tuple[int, ...], n_displayed: int) -> tuple[str, str] | None:
    """Side of the patient at the left and at the right edge of the canvas.

    Parameters
    ----------
    order
        Order of the axes, as napari has it: the last one runs from left to right.
    n_displayed
        Number of axes shown.

    Returns
    -------
    tuple or None
        ``("R", "L")`` for axial and coronal slices; None in 3-D, or when that axis is none of space.
    """
    return _SIDES.get(len(order) - order[-1]) if n_displayed == 2 else None


def mark_sides(viewer: Viewer) -> None:
    """Write the sides onto a viewer's canvas, from now on also when other axes are shown."""
    bare = getattr(viewer, "__wrapped__", viewer)  # a plugin is given a proxy of the viewer
    key = id(bare)
    if key not in _MARKED:
        _MARKED[key] = SideMarks(bare)
        weakref.finalize(bare, _MARKED.pop, key, None).atexit = False
    _MARKED[key].renew()


class SideMarks:
    """Follows a viewer's axes; does not keep the viewer alive."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = weakref.ref(viewer)
        viewer.dims.events.order.connect(self.renew)
        viewer.dims.events.ndisplay.connect(self.renew)

    def renew(self, event: object = None) -> None:  # noqa: ARG002  napari passes its event
        """Write what is true now."""
        viewer = self._viewer()
        if viewer is None:
            return
        sides = sides_on_screen(tuple(viewer.dims.order), int(viewer.dims.ndisplay))
        text = viewer.canvas.overlays.text
        text.visible = sides is not None
        if sides is not None:
            text.text = f"{sides[0]} ◂ patient ▸ {sides[1]}"
            text.position = "top_center"
            text.font_size = 12
