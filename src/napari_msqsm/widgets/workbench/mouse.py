"""The mouse on the canvas: what a tool gets of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from napari_msqsm.widgets.workbench.easel import Spot
from napari_msqsm.widgets.workbench.stage import Stage

if TYPE_CHECKING:
    from napari import Viewer

    from napari_msqsm.widgets.workbench.canvas import DrawingCanvas

_LEFT_BUTTON = 1


class Mouse:
    """Of one canvas; works between `connect` and `disconnect`.

    Parameters
    ----------
    canvas
        Whose tools it moves.
    """

    def __init__(self, canvas: DrawingCanvas) -> None:
        self._canvas = canvas
        self._viewer: Viewer | None = None

    def connect(self, viewer: Viewer) -> None:
        """Listen to a viewer."""
        self._viewer = viewer
        viewer.mouse_drag_callbacks.append(self._on_drag)
        viewer.mouse_double_click_callbacks.append(self._on_double_click)
        viewer.layers.selection.events.active.connect(self.hold_camera)
        viewer.dims.events.ndisplay.connect(self.hold_camera)

    def disconnect(self, viewer: Viewer) -> None:
        """Listen no more; the mouse moves the view again."""
        viewer.mouse_drag_callbacks.remove(self._on_drag)
        viewer.mouse_double_click_callbacks.remove(self._on_double_click)
        viewer.layers.selection.events.active.disconnect(self.hold_camera)
        viewer.dims.events.ndisplay.disconnect(self.hold_camera)
        viewer.scene.camera.mouse_pan = True
        self._viewer = None

    @property
    def draws(self) -> bool:
        """Whether the left button draws with a tool of ours, as things are now."""
        canvas, viewer = self._canvas, self._viewer
        if viewer is None or canvas.current_tool is None or canvas.easel is None or viewer.dims.ndisplay != 2:
            return False
        return self._ours_is_active()

    def hold_camera(self, _: object = None) -> None:
        """Let the left button draw and not move the view; each layer that becomes active frees the view again."""
        viewer = self._viewer
        if viewer is None:
            return
        active = viewer.layers.selection.active
        native = active is not None and getattr(active, "mode", "pan_zoom") != "pan_zoom"
        viewer.scene.camera.mouse_pan = not (self.draws or native)

    def _ours_is_active(self) -> bool:
        """Whether the mouse is not another layer's, nor a tool of napari's own."""
        assert self._viewer is not None
        active = self._viewer.layers.selection.active
        return active is None or (active in self._canvas.screen.layers and active.mode == "pan_zoom")

    def _spot(self, event: Any) -> Spot:
        frame = self._canvas.screen.frame
        assert frame is not None
        x, y, z = (float(along) for along in frame.voxel(event.position))
        return Spot((x, y, z), self._canvas.screen.axis, "Shift" in event.modifiers)

    def _on_drag(self, _: Viewer, event: Any) -> Iterator[None]:
        if event.button != _LEFT_BUTTON or self._canvas.stage is None:
            return
        tool, easel = self._canvas.current_tool, self._canvas.easel
        if tool is None or self._canvas.stage is Stage.ONSET:
            yield from self._click(event)
        elif easel is None:
            self._canvas.problem.emit("choose one time point to draw on; a double click opens it")
        elif self._viewer is not None and self._viewer.dims.ndisplay != 2:
            self._canvas.problem.emit("drawing is done in slices; leave the 3-D view")
        elif self.draws:
            last = event.position
            tool.press(easel, self._spot(event))
            yield
            while event.type == "mouse_move":
                last = event.position
                tool.drag(easel, self._spot(event))
                yield
            if event.position != last:  # napari leaves out moves that follow too soon
                tool.drag(easel, self._spot(event))
            tool.release(easel)

    def _click(self, event: Any) -> Iterator[None]:
        """Select the lesion under a click; a drag moves the view."""
        if self._viewer is None or self._viewer.dims.ndisplay != 2 or not self._ours_is_active():
            return
        yield
        if event.type == "mouse_move":
            return
        if self._canvas.stage is Stage.ONSET:
            self._canvas.mark(event.position)
            return
        label = self._canvas.screen.label_at(event.position, getattr(event, "viewbox", None))
        if label:
            self._canvas.picked.emit(label)

    def _on_double_click(self, _: Viewer, event: Any) -> None:
        tool, easel = self._canvas.current_tool, self._canvas.easel
        if self._canvas.stage is Stage.ALL:
            session = self._canvas.screen.session_at(getattr(event, "viewbox", None))
            if session:
                self._canvas.show(Stage.QSM, session)
        elif tool is not None and easel is not None and self.draws:
            tool.double_click(easel, self._spot(event))
