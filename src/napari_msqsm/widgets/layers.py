"""napari layers: the only file that makes, finds or changes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari import Viewer
    from napari.layers import Layer

    from napari_msqsm.widgets.images import DisplayImage

_METADATA = "msqsm"
_AXIS_LABELS = ("z", "y", "x")
_CHI = "Chimap"


def keywords_of(image: DisplayImage) -> dict[str, Any]:
    """Keywords of every layer of ours: the same axes and units, true proportions, the true affine kept beside."""
    lead = image.placed.data.ndim - 3
    keywords: dict[str, Any] = {
        "name": image.name,
        "scale": (1.0,) * lead + image.placed.scale,
        "translate": (0.0,) * lead + image.placed.translate,
        "axis_labels": ("echo",) * lead + _AXIS_LABELS,
        "units": ("pixel",) * lead + ("mm",) * 3,
        "visible": image.visible,
        "metadata": {_METADATA: {"path": str(image.path), "kind": image.kind, "unit": image.unit, "grid": image.grid}},
    }
    if image.layer_type == "image":
        keywords |= {"colormap": "gray", "contrast_limits": image.window, "blending": "translucent_no_depth"}
    else:
        keywords |= {"opacity": 0.4}
    return keywords


def layer_data(images: Iterable[DisplayImage]) -> list[tuple[Any, dict[str, Any], str]]:
    """Images as a reader returns them."""
    return [(image.placed.data, keywords_of(image), image.layer_type) for image in images]


def show(viewer: Viewer, images: Iterable[DisplayImage]) -> None:
    """Add images, or renew the layers of the same name; the first ones of an empty viewer set the view."""
    empty = len(viewer.layers) == 0
    for image in images:
        if image.name in viewer.layers and viewer.layers[image.name].data.shape == image.placed.data.shape:
            viewer.layers[image.name].data = image.placed.data
            continue
        if image.name in viewer.layers:
            viewer.layers.remove(viewer.layers[image.name])
        if image.layer_type == "labels":
            viewer.add_labels(image.placed.data, **keywords_of(image))
        else:
            widen(viewer.add_image(image.placed.data, **keywords_of(image)))
    if empty and len(viewer.layers):
        viewer.reset_view()


def widen(layer: Layer) -> None:
    """Let the contrast slider reach all values, which ``contrast_limits`` alone pins to itself."""
    data = layer.data
    low, high = float(np.nanmin(data)), float(np.nanmax(data))
    first, last = layer.contrast_limits
    layer.contrast_limits_range = (min(low, first), max(high, last, first + 1e-6))
    layer.contrast_limits = (first, last)


def widen_ours(viewer: Viewer) -> None:
    """`widen` every image layer of ours, such as those that a reader made."""
    for layer in viewer.layers:
        if _METADATA in layer.metadata and hasattr(layer, "contrast_limits"):
            widen(layer)


def only_session(viewer: Viewer, label: str) -> None:
    """Hide our layers of other sessions and show magnitude and χ of this one."""
    for layer in viewer.layers:
        ours = layer.metadata.get(_METADATA)
        if ours is None:
            continue
        mine = layer.name.startswith(f"{label} ")
        if not mine:
            layer.visible = False
        elif ours["kind"] in {"magnitude", _CHI}:
            layer.visible = True
