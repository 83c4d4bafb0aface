"""napari layers that compare two images; computed as far as they are seen, for the transform as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.widgets.display import to_display
from napari_msqsm.widgets.laterality import mark_sides
from napari_msqsm.widgets.lazy_image import LazyImage

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_msqsm.widgets.nudge_keys import Mode
    from napari_msqsm.workflow.inspect_pair.pictures import Box, PairPictures

_SHOWN: dict[Mode, tuple[str, ...]] = {
    "flicker": ("fixed", "moving"),
    "checkerboard": ("checkerboard",),
    "blend": ("fixed", "moving"),
    "edges": ("moving", "edges"),
    "difference": ("difference",),
}
_OF_MOVING = ("moving", "checkerboard", "difference")
"""Layers that change when the moving image moves."""
_DIFFERENCE_COLOURS = ((0.35, 0.7, 1.0), (0.0, 0.0, 0.0), (1.0, 0.65, 0.15))
"""Where the fixed image is darker, where both agree, where it is brighter."""
_EDGE_COLOUR = (1.0, 0.2, 0.15)
_STRONGEST_EDGE = 0.25


class ComparisonLayers:
    """Layers of one pair; they go with `remove`, and what was visible before comes back.

    Parameters
    ----------
    viewer
        Where they are drawn.
    pictures
        The pair, in screen order of the fixed grid.
    fixed_name, moving_name
        Names of the images.
    """

    def __init__(self, viewer: Viewer, pictures: PairPictures, fixed_name: str, moving_name: str) -> None:
        self._viewer = viewer
        self._pictures = pictures
        self._names = {
            "fixed": f"fixed: {fixed_name}",
            "moving": f"moving: {moving_name}",
            "edges": f"edges: {fixed_name}",
        }
        self._parts: dict[str, Callable[[Box], NDArray[Any]]] = {
            "fixed": lambda box: pictures.fixed[box],
            "moving": lambda box: np.nan_to_num(pictures.moved(box)),
            "checkerboard": lambda box: pictures.checkerboard(box, self.square_mm),
            "edges": pictures.edges,
            "difference": pictures.difference,
        }
        self._limits = {
            "fixed": pictures.fixed_range,
            "moving": pictures.moving_range,
            "checkerboard": (0.0, 1.0),
            "edges": (0.03, _STRONGEST_EDGE),
            "difference": (-0.4, 0.4),
        }
        self._made: dict[str, Layer] = {}
        self.square_mm = 20.0
        self._hidden = [layer for layer in viewer.layers if layer.visible]
        for layer in self._hidden:
            layer.visible = False
        self.layer("fixed")
        self.layer("moving")
        mark_sides(viewer)

    def layer(self, name: str) -> Layer:
        """Layer by its part in the comparison, such as ``moving``; made when it is first asked for."""
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __contains__(self, layer: object) -> bool:
        return layer in self._made.values()

    def show(self, mode: Mode) -> None:
        """Show the layers of a way to compare."""
        self.set_opacity(1.0)
        for name in _SHOWN[mode]:
            self.layer(name).visible = True
        for name, layer in self._made.items():
            if name not in _SHOWN[mode]:
                layer.visible = False

    def show_moving(self, shown: bool) -> None:
        """Show the moving image above the fixed one, or not."""
        self.layer("moving").visible = shown

    def set_opacity(self, opacity: float) -> None:
        """How much of the moving image is seen above the fixed one, 0…1."""
        self.layer("moving").opacity = opacity

    def set_square(self, square_mm: float) -> None:
        """Edge of a square of the checkerboard."""
        self.square_mm = square_mm
        self.refresh()

    def set_faintest_edge(self, slope: float) -> None:
        """Slope below which no edge is shown; 1 is from black to white within 1 mm."""
        self._set_limits("edges", (slope, max(_STRONGEST_EDGE, 2 * slope)))

    def set_largest_difference(self, difference: float) -> None:
        """Difference that is drawn brightest; 1 is from black to white."""
        self._set_limits("difference", (-difference, difference))

    def refresh(self) -> None:
        """Compute what is seen again."""
        for name, layer in self._made.items():
            if name in _OF_MOVING and layer.visible:
                layer.refresh(extent=False, thumbnail=False, highlight=False)

    def activate(self) -> None:
        """Make the moving image the active layer, so that no tool of another layer takes the mouse."""
        self._viewer.layers.selection.active = self.layer("moving")

    def remove(self) -> None:
        """Take them off, and show again what was visible before."""
        for layer in self._made.values():
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        for layer in self._hidden:
            layer.visible = True

    def _set_limits(self, name: str, limits: tuple[float, float]) -> None:
        self._limits[name] = limits
        if name in self._made:
            self._made[name].contrast_limits = limits

    def _make(self, name: str) -> Layer:
        placed = to_display(self._pictures.fixed, self._pictures.grid)
        low, high = self._limits[name]
        active = self._viewer.layers.selection.active
        layer = self._viewer.add_image(
            LazyImage(self._pictures.grid.shape, self._parts[name]),
            name=self._names.get(name, name),
            scale=placed.scale,
            translate=placed.translate,
            axis_labels=("z", "y", "x"),
            units=("mm",) * 3,
            contrast_limits=(low, high),
            colormap=_colormap(name),
            blending="translucent" if name == "edges" else "translucent_no_depth",
            visible=False,
            rgb=False,
            multiscale=False,
        )
        layer.contrast_limits_range = (min(low, 0.0) - abs(high), 3 * abs(high))
        layer.contrast_limits = (low, high)
        if active in self:
            self._viewer.layers.selection.active = active
        return layer


def _colormap(name: str) -> Any:
    """Clear where there is no outline; dark where there is no difference."""
    from napari.utils import Colormap

    if name == "edges":
        return Colormap([(*_EDGE_COLOUR, alpha) for alpha in (0.0, 0.8, 1.0)], name="msqsm outlines")
    if name == "difference":
        return Colormap([(*colour, 1.0) for colour in _DIFFERENCE_COLOURS], name="msqsm difference")
    return "gray"
