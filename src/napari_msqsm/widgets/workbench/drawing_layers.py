"""napari layers of the workbench: images and label images of a stage, renewed in place where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_msqsm.widgets.display import to_display
from napari_msqsm.widgets.laterality import mark_sides
from napari_msqsm.widgets.workbench.lesion_colours import NAWM_COLOUR, PREVIEW_COLOUR, VEIN_COLOUR, colour_cycle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari import Viewer
    from napari.layers import Layer

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.widgets.workbench.stage_images import StageImage

METADATA = "msqsm_drawing"
Look = Literal["lesions", "vein", "nawm", "preview"]
_OPACITY: dict[Look, float] = {"lesions": 0.45, "vein": 0.8, "nawm": 0.35, "preview": 0.6}


@dataclass(frozen=True, eq=False)
class LabelImage:
    """Label image of a stage.

    Parameters
    ----------
    key
        What it is for; layers of one key take each other's place.
    name
        Of the layer.
    look
        How it is coloured.
    data
        In display order (z, y, x); what napari writes to it comes back to whoever made it.
    grid
        That it lies on.
    """

    key: str
    name: str
    look: Look
    data: Any
    grid: Grid


class DrawingLayers:
    """Layers of the workbench; they go with `remove`, and what was visible before comes back.

    Parameters
    ----------
    viewer
        The viewer itself, not a proxy of it.
    on_layer
        Called with every new layer of labels.
    """

    def __init__(self, viewer: Viewer, on_layer: Callable[[Layer], None]) -> None:
        self._viewer = viewer
        self._on_layer = on_layer
        self._made: dict[str, Layer] = {}
        self._grids: dict[str, Grid] = {}
        self._contour = 0
        self._is_hidden = False
        self._hidden = [layer for layer in viewer.layers if layer.visible]
        for layer in self._hidden:
            layer.visible = False

    def layer(self, key: str) -> Layer | None:
        """Layer of a key, ``chi`` or ``lesions`` for instance; None where it is not shown or the user took it off."""
        layer = self._made.get(key)
        return layer if layer is not None and layer in self._viewer.layers else None

    def __contains__(self, layer: object) -> bool:
        return layer in self._made.values()

    @property
    def label_layers(self) -> tuple[Layer, ...]:
        """Layers of label images."""
        return tuple(layer for layer in self._made.values() if layer.metadata[METADATA]["look"] is not None)

    def show(self, parts: Sequence[StageImage | LabelImage]) -> None:
        """Show these and no others of ours, from the bottom to the top."""
        wanted = {part.key: part for part in parts}
        for key in list(self._made):
            part = wanted.get(key)
            if part is None or self.layer(key) is None or not self._grids[key].same_as(part.grid):
                self._drop(key)
        for part in parts:
            if part.key in self._made:
                self._renew(self._made[part.key], part)
            else:
                self._made[part.key] = self._add(part)
            self._grids[part.key] = part.grid
        self._sort([self._made[part.key] for part in parts])
        mark_sides(self._viewer)

    def add(self, part: LabelImage | StageImage) -> Layer:
        """Show one more, on top."""
        layer = self.layer(part.key)
        if layer is None:
            layer = self._made[part.key] = self._add(part)
        else:
            self._renew(layer, part)
        self._grids[part.key] = part.grid
        return layer

    def drop(self, key: str) -> None:
        """Take one off."""
        if key in self._made:
            self._drop(key)

    def refresh(self, key: str) -> None:
        """Show what has changed in the slice that is seen."""
        layer = self.layer(key)
        if layer is not None and layer.visible:
            layer.refresh(extent=False, thumbnail=False, highlight=False)

    def set_contour(self, width: int) -> None:
        """Show outlines of lesions, some voxels wide; 0 shows areas."""
        if width == self._contour:
            return
        self._contour = width
        for layer in self.label_layers:
            if layer.metadata[METADATA]["look"] == "lesions":
                layer.contour = width

    def set_hidden(self, hidden: bool) -> None:
        """Hide what is drawn, or show it."""
        if hidden == self._is_hidden:
            return
        self._is_hidden = hidden
        for layer in self.label_layers:
            layer.visible = not hidden

    def activate(self, key: str) -> None:
        """Make a layer the active one."""
        layer = self.layer(key)
        if layer is not None and self._viewer.layers.selection.active is not layer:
            self._viewer.layers.selection.active = layer

    def remove(self) -> None:
        """Take all off, and show again what was visible before."""
        for key in list(self._made):
            self._drop(key)
        for layer in self._hidden:
            layer.visible = True

    def _drop(self, key: str) -> None:
        layer = self._made.pop(key)
        self._grids.pop(key, None)
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _sort(self, layers: list[Layer]) -> None:
        """Bring ours on top, in order."""
        ours = list(self._viewer.layers)[-len(layers) :] if layers else []
        if ours == layers:
            return
        for layer in layers:
            self._viewer.layers.move(self._viewer.layers.index(layer), len(self._viewer.layers))

    def _renew(self, layer: Layer, part: StageImage | LabelImage) -> None:
        if layer.data is not part.data:
            layer.data = part.data
        layer.name = part.name
        if not isinstance(part, LabelImage) and layer.metadata[METADATA]["window"] != part.window:
            layer.contrast_limits_range = part.limits
            layer.contrast_limits = part.window
            layer.metadata[METADATA]["window"] = part.window

    def _add(self, part: StageImage | LabelImage) -> Layer:
        placed = to_display(np.broadcast_to(np.False_, part.grid.shape), part.grid)
        keywords: dict[str, Any] = {
            "name": part.name,
            "scale": placed.scale,
            "translate": placed.translate,
            "axis_labels": ("z", "y", "x"),
            "units": ("mm",) * 3,
        }
        active = self._viewer.layers.selection.active
        if isinstance(part, LabelImage):
            keywords |= {"opacity": _OPACITY[part.look], "colormap": _colours(part.look), "blending": "translucent"}
            keywords |= {"metadata": {METADATA: {"look": part.look}}}
            layer = self._viewer.add_labels(part.data, visible=not self._is_hidden, **keywords)
            layer.contour = self._contour if part.look == "lesions" else 0
            layer.editable = part.look != "preview"
            self._on_layer(layer)
        else:
            keywords |= {"colormap": "gray", "contrast_limits": part.window, "blending": "translucent_no_depth"}
            keywords |= {"visible": part.visible, "rgb": False, "multiscale": False}
            keywords |= {"metadata": {METADATA: {"look": None, "window": part.window}}}
            layer = self._viewer.add_image(part.data, **keywords)
            layer.contrast_limits_range = part.limits
            layer.contrast_limits = part.window
        if active is not None and active in self and active in self._viewer.layers:
            self._viewer.layers.selection.active = active
        return layer


def _colours(look: Look) -> Any:
    from napari.utils.colormaps import CyclicLabelColormap

    clear = (0.0, 0.0, 0.0, 0.0)
    cycle = {
        "lesions": colour_cycle(),
        "vein": [clear, VEIN_COLOUR],
        "nawm": [clear, NAWM_COLOUR],
        "preview": [clear, PREVIEW_COLOUR],
    }
    return CyclicLabelColormap(colors=cycle[look], name=f"msqsm {look}")
