"""napari layers of the workbench: images and label images of a stage, renewed in place where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_msqsm.widgets.display import to_display
from napari_msqsm.widgets.laterality import mark_sides
from napari_msqsm.widgets.workbench.lesion_colours import (
    NAWM_COLOUR,
    PREVIEW_COLOUR,
    VEIN_COLOUR,
    colour_cycle,
    lesion_colour,
)
from napari_msqsm.widgets.workbench.stage_images import StageImage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari import Viewer
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid

METADATA = "msqsm_drawing"
_MARK_MM = 8.0
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


@dataclass(frozen=True, eq=False)
class MarkImage:
    """Marks where lesions begin, as rings.

    Parameters
    ----------
    key, name
        As of a label image.
    labels
        Lesion of each mark.
    points
        (n, 3) places (z, y, x) on the screen, in mm.
    grid
        Of the image under them.
    """

    key: str
    name: str
    labels: tuple[int, ...]
    points: NDArray[np.float64]
    grid: Grid


Part = StageImage | LabelImage | MarkImage


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

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the layers that are shown."""
        return tuple(self._made)

    def __contains__(self, layer: object) -> bool:
        return layer in self._made.values()

    @property
    def label_layers(self) -> tuple[Layer, ...]:
        """Layers of label images."""
        return tuple(layer for layer in self._made.values() if layer.metadata[METADATA]["look"] is not None)

    def show(self, parts: Sequence[Part]) -> None:
        """Show these and no others of ours, from the bottom to the top."""
        wanted = {part.key: part for part in parts}
        for key in list(self._made):
            part = wanted.get(key)
            if part is None or self.layer(key) is None:
                self._drop(key)
        for part in parts:
            if part.key in self._made:
                self._move(self._made[part.key], part)
                self._renew(self._made[part.key], part)
            else:
                self._made[part.key] = self._add(part)
            self._grids[part.key] = part.grid
        self._sort([self._made[part.key] for part in parts])
        mark_sides(self._viewer)

    def add(self, part: Part) -> Layer:
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

    def show_image(self, part: StageImage, *, above: str) -> None:
        """Show an image in place of the others; one that is new lies right above a named one."""
        if self.layer(part.key) is None:
            layer = self.add(part)
            under = self.layer(above)
            if under is not None:
                self._viewer.layers.move(self._viewer.layers.index(layer), self._viewer.layers.index(under) + 1)
        for key, layer in self._made.items():
            if "window" in layer.metadata[METADATA]:
                layer.visible = key == part.key

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

    def _move(self, layer: Layer, part: Part) -> None:
        """Put a layer on another grid: far quicker than a new layer."""
        if self._grids[part.key].same_as(part.grid):
            return
        if not isinstance(part, MarkImage):
            layer.data = part.data
        where = _where(part)
        layer.scale, layer.translate = where["scale"], where["translate"]

    def _renew(self, layer: Layer, part: Part) -> None:
        layer.name = part.name
        if isinstance(part, MarkImage):
            self._put_marks(layer, part)
            return
        if layer.data is not part.data:
            layer.data = part.data
        if isinstance(part, StageImage) and layer.metadata[METADATA]["window"] != part.window:
            layer.contrast_limits_range = part.limits
            layer.contrast_limits = part.window
            layer.metadata[METADATA]["window"] = part.window

    def _add(self, part: Part) -> Layer:
        active = self._viewer.layers.selection.active
        if isinstance(part, MarkImage):
            layer = self._add_marks(part)
        elif isinstance(part, LabelImage):
            layer = self._add_labels(part)
        else:
            layer = self._add_image(part)
        if active is not None and active in self and active in self._viewer.layers:
            self._viewer.layers.selection.active = active
        return layer

    def _add_image(self, part: StageImage) -> Layer:
        layer = self._viewer.add_image(
            part.data,
            colormap="gray",
            contrast_limits=part.window,
            blending="translucent_no_depth",
            visible=part.visible,
            rgb=False,
            multiscale=False,
            metadata={METADATA: {"look": None, "window": part.window}},
            **_where(part),
        )
        layer.contrast_limits_range = part.limits
        layer.contrast_limits = part.window
        return layer

    def _add_labels(self, part: LabelImage) -> Layer:
        layer = self._viewer.add_labels(
            part.data,
            opacity=_OPACITY[part.look],
            colormap=_colours(part.look),
            blending="translucent",
            visible=not self._is_hidden,
            metadata={METADATA: {"look": part.look}},
            **_where(part),
        )
        layer.contour = self._contour if part.look == "lesions" else 0
        layer.editable = part.look != "preview"
        self._on_layer(layer)
        return layer

    def _add_marks(self, part: MarkImage) -> Layer:
        where = _where(part)
        layer = self._viewer.add_points(
            ndim=3,
            size=_MARK_MM / min(where["scale"]),
            face_color="transparent",
            border_width=0.12,
            projection_mode="rescale_spherical",
            metadata={METADATA: {"look": None}},
            **where,
        )
        self._put_marks(layer, part)
        layer.editable = False
        return layer

    def _put_marks(self, layer: Layer, part: MarkImage) -> None:
        layer.data = (part.points - np.array(layer.translate)) / np.array(layer.scale)
        if part.labels:
            layer.border_color = np.array([lesion_colour(label) for label in part.labels])
            layer.face_color = "transparent"
            layer.size = _MARK_MM / min(layer.scale)
        layer.selected_data = set()


def _where(part: Part) -> dict[str, Any]:
    """Keywords that all layers of a grid have in common, so that napari keeps their units."""
    placed = to_display(np.broadcast_to(np.False_, part.grid.shape), part.grid)
    return {
        "name": part.name,
        "scale": placed.scale,
        "translate": placed.translate,
        "axis_labels": ("z", "y", "x"),
        "units": ("mm",) * 3,
    }


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
