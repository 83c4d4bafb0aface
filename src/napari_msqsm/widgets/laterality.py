"""Which side of the patient is where on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari import Viewer

_SIDES = {1: ("R", "L"), 2: ("A", "P"), 3: ("I", "S")}
"""Ends of the display axes x, y and z, counted from the last axis: where each begins, where it ends."""


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


class SideMarks:
    """Writes the sides onto a viewer's canvas and follows it when other axes are shown."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        viewer.dims.events.order.connect(self.renew)
        viewer.dims.events.ndisplay.connect(self.renew)
        self.renew()

    def renew(self, event: object = None) -> None:  # noqa: ARG002  napari passes its event
        """Write what is true now."""
        dims = self._viewer.dims
        sides = sides_on_screen(tuple(dims.order), int(dims.ndisplay))
        text = self._viewer.canvas.overlays.text
        text.visible = sides is not None
        if sides is not None:
            text.text = f"{sides[0]} ◂ patient ▸ {sides[1]}"
            text.position = "top_center"
            text.font_size = 12

    def stop(self) -> None:
        """Let the viewer go."""
        self._viewer.dims.events.order.disconnect(self.renew)
        self._viewer.dims.events.ndisplay.disconnect(self.renew)
