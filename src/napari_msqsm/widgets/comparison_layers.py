"""napari layers that compare two images; computed as far as they are seen, for the transform as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.widgets.display import to_display
from napari_msqsm.widgets.laterality import mark_sides
from napari_msqsm.widgets.lazy_image import LazyImage

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer

    from napari_msqsm.widgets.nudge_keys import Mode
    from napari_msqsm.workflow.inspect_pair.pictures import PairPictures

_SHOWN: dict[Mode, tuple[str, ...]] = {
    "flicker": ("fixed", "moving"),
    "checkerboard": ("checkerboard",),
    "blend": ("fixed", "moving"),
    "edges": ("moving", "edges"),
    "difference": ("difference",),
}
_DIFFERENCE_COLOURS = ((0.35, 0.7, 1.0), (0.05, 0.05, 0.05), (1.0, 0.65, 0.15))
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
        self.square_mm = 20.0
        self._hidden = [layer for layer in viewer.layers if layer.visible]
        for layer in self._hidden:
            layer.visible = False
        self.layers: dict[str, Layer] = {}
        self._add("fixed", f"fixed: {fixed_name}", lambda box: pictures.fixed[box], pictures.fixed_range)
        moving = f"moving: {moving_name}"
        self._add("moving", moving, lambda box: np.nan_to_num(pictures.moved(box)), pictures.moving_range)
        self._add("checkerboard", "checkerboard", lambda box: pictures.checkerboard(box, self.square_mm), (0.0, 1.0))
        self._add(
            "edges", f"edges of {fixed_name}", pictures.edges, (0.02, _STRONGEST_EDGE), _edge_map(), "translucent"
        )
        self._add("difference", "difference", pictures.difference, (-0.5, 0.5), _difference_map())
        mark_sides(viewer)

    def show(self, mode: Mode) -> None:
        """Show the layers of a way to compare."""
        for name, layer in self.layers.items():
            layer.visible = name in _SHOWN[mode]
        self.set_opacity(1.0)

    def show_moving(self, shown: bool) -> None:
        """Show the moving image above the fixed one, or not."""
        self.layers["moving"].visible = shown

    def set_opacity(self, opacity: float) -> None:
        """How much of the moving image is seen above the fixed one, 0…1."""
        self.layers["moving"].opacity = opacity

    def set_square(self, square_mm: float) -> None:
        """Edge of a square of the checkerboard."""
        self.square_mm = square_mm
        self.refresh()

    def set_faintest_edge(self, slope: float) -> None:
        """Slope below which no edge is shown; 1 is from black to white within 1 mm."""
        self.layers["edges"].contrast_limits = (slope, max(_STRONGEST_EDGE, 2 * slope))

    def set_largest_difference(self, difference: float) -> None:
        """Difference that is drawn brightest; 1 is from black to white."""
        self.layers["difference"].contrast_limits = (-difference, difference)

    def refresh(self) -> None:
        """Compute what is seen again."""
        for name in ("moving", "checkerboard", "difference"):
            if self.layers[name].visible:
                self.layers[name].refresh(extent=False, thumbnail=False, highlight=False)

    def activate(self) -> None:
        """Make the moving image the active layer, so that no tool of another layer takes the mouse."""
        self._viewer.layers.selection.active = self.layers["moving"]

    def remove(self) -> None:
        """Take them off, and show again what was visible before."""
        for layer in self.layers.values():
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        for layer in self._hidden:
            layer.visible = True

    def _add(
        self, key: str, name: str, part: Any, limits: tuple[float, float], colormap: Any = "gray", blending: str = ""
    ) -> None:
        pictures: PairPictures = self._pictures
        placed = to_display(pictures.fixed, pictures.grid)
        layer = self._viewer.add_image(
            LazyImage(pictures.grid.shape, part),
            name=name,
            scale=placed.scale,
            translate=placed.translate,
            axis_labels=("z", "y", "x"),
            units=("mm",) * 3,
            contrast_limits=limits,
            colormap=colormap,
            blending=blending or "translucent_no_depth",
            visible=False,
            rgb=False,
            multiscale=False,
        )
        low, high = limits
        layer.contrast_limits_range = (min(low, 0.0) - abs(high), 3 * abs(high))
        layer.contrast_limits = limits
        self.layers[key] = layer


def _edge_map() -> Any:
    """Clear where there is no outline."""
    from napari.utils import Colormap

    return Colormap([(*_EDGE_COLOUR, alpha) for alpha in (0.0, 0.8, 1.0)], name="msqsm outlines")


def _difference_map() -> Any:
    from napari.utils import Colormap

    return Colormap([(*colour, 1.0) for colour in _DIFFERENCE_COLOURS], name="msqsm difference")
