"""Images beside each other, cameras and sliders linked: napari's grid, and what it was set to before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari import Viewer


class SideBySide:
    """Of one viewer."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._before: tuple[bool, int] | None = None

    def enter(self, n_layers: int) -> None:
        """Give each few layers, counted from the top, a view of their own."""
        grid = self._viewer.canvas.grid
        if self._before is None:
            self._before = (grid.enabled, grid.stride)
        grid.stride = -n_layers
        grid.enabled = True

    def leave(self) -> None:
        """Put all layers in one view again, or whatever was before."""
        if self._before is None:
            return
        grid = self._viewer.canvas.grid
        grid.enabled, grid.stride = self._before
        self._before = None

    def cell(self, viewbox: tuple[int, int] | None) -> tuple[int, ...]:
        """Layers, by place in the list, of the view that the mouse is in."""
        return () if viewbox is None else tuple(self._viewer.canvas.grid.contents_at(viewbox, self._viewer.layers))
