"""Images beside each other, cameras and sliders linked: napari's grid, and what it was set to before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari import Viewer


class SideBySide:
    """Of one viewer."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._before: tuple[bool, int, tuple[int, int]] | None = None

    @property
    def columns(self) -> int:
        """How many views lie beside each other; 1 where there is one view."""
        return 1 if self._before is None else int(self._viewer.canvas.grid.actual_shape(self._viewer.layers)[1])

    def enter(self, n_layers: int, shape: tuple[int, int] = (-1, -1)) -> None:
        """Give each few layers, counted from the top, a view of their own, in rows and columns; −1: as they fit."""
        grid = self._viewer.canvas.grid
        if self._before is None:
            self._before = (grid.enabled, grid.stride, grid.shape)
        grid.stride, grid.shape = -n_layers, shape
        grid.enabled = True

    def leave(self) -> None:
        """Put all layers in one view again, or whatever was before."""
        if self._before is None:
            return
        grid = self._viewer.canvas.grid
        grid.enabled, grid.stride, grid.shape = self._before
        self._before = None

    def cell(self, viewbox: tuple[int, int] | None) -> tuple[int, ...]:
        """Layers, by place in the list, of the view that the mouse is in."""
        return () if viewbox is None else tuple(self._viewer.canvas.grid.contents_at(viewbox, self._viewer.layers))
