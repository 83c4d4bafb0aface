"""What a reader does to a layer of labels with napari's own controls and keys, for the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.widgets.workbench.tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.layers import Layer

    from napari_msqsm.widgets.workbench.canvas import DrawingCanvas

_MOST_AXES = 3
_STEPS = {"paint": "brush", "erase": "eraser", "fill": "fill", "polygon": "polygon"}
"""Napari's own tools: what they do is a step of this name."""
_WAITS_FOR_KEY = ("polygon", "propose")


class LabelEvents:
    """Of one canvas.

    Napari's tools stay usable: what they write comes through the layer's data, and their strokes end here. Its undo is
    replaced on each layer by that of the drawing; its own queue is never used.
    """

    def __init__(self, canvas: DrawingCanvas) -> None:
        self._canvas = canvas
        self._renewing = False

    def connect(self, layer: Layer) -> None:
        """Listen to a new layer; it goes with the layer."""
        layer.events.paint.connect(self._on_paint)
        layer.events.mode.connect(self._on_mode)
        layer.events.brush_size.connect(self._on_brush_size)
        layer.events.selected_label.connect(self._on_selected_label)
        layer.events.n_edit_dimensions.connect(self._on_n_edit_dimensions)
        layer.bind_key("Control-Z", lambda _: self._canvas.undo(), overwrite=True)
        layer.bind_key("Control-Shift-Z", lambda _: self._canvas.redo(), overwrite=True)

    def renew(self, layers: Iterable[Layer]) -> None:
        """Set napari's own controls to what is chosen on the canvas."""
        canvas, info = self._canvas, TOOLS[self._canvas.tool]
        self._renewing = True
        try:
            for layer in layers:
                if not layer.editable:
                    continue
                layer.preserve_labels = True
                layer.selected_label = canvas.label
                layer.n_edit_dimensions = 3 if canvas.switches["in_space"] else 2
                if canvas.tool != "look" and layer.mode != "pan_zoom":
                    layer.mode = "pan_zoom"
                layer.brush_size = _voxels(canvas.brush_mm, layer)
                if layer.mode == "pan_zoom":
                    layer.cursor = "circle" if info.round else "cross" if info.make else "standard"
                    layer.cursor_size = canvas.brush_mm
                waits = canvas.tool in _WAITS_FOR_KEY
                layer.bind_key("Enter", (lambda _: canvas.act("accept")) if waits else None, overwrite=True)
                layer.bind_key("Escape", (lambda _: canvas.act("drop")) if info.make else None, overwrite=True)
        finally:
            self._renewing = False

    def _on_paint(self, event: Any) -> None:
        self._canvas.finish(_STEPS.get(str(event.source.mode), "edit"))

    def _on_mode(self, event: Any) -> None:
        layer = event.source
        if layer.mode == "transform":
            layer.mode = "pan_zoom"  # a drawing does not move on its image
        elif layer.mode != "pan_zoom" and self._canvas.tool != "look":
            self._canvas.look_with_napari(layer)

    def _on_brush_size(self, event: Any) -> None:
        if not self._renewing:
            self._canvas.set_brush_mm(float(event.source.brush_size * min(event.source.scale)))

    def _on_n_edit_dimensions(self, event: Any) -> None:
        if not self._renewing:
            self._canvas.set_3d(event.source.n_edit_dimensions >= _MOST_AXES)

    def _on_selected_label(self, event: Any) -> None:
        """Follow napari's picker to a lesion that there is; another number is not a lesion."""
        label = int(event.source.selected_label)
        if self._renewing or label == self._canvas.label or self._canvas.drawing is None:
            return
        if label and self._canvas.drawing.lesion(label) is not None:
            self._canvas.picked.emit(label)
        if self._canvas.label != label:
            self.renew([event.source])


def _voxels(diameter_mm: float, layer: Layer) -> int:
    """Size of napari's own brush, an odd number of voxels, nearest to a diameter."""
    return max(1, 2 * int(np.floor(diameter_mm / min(layer.scale) / 2.0)) + 1)
