"""napari layers: the only file that makes, finds or changes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.widgets.laterality import mark_sides

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
        "metadata": {
            _METADATA: {
                "path": str(image.path),
                "kind": image.kind,
                "unit": image.unit,
                "grid": image.grid,
                "session": image.label,
            }
        },
    }
    if image.layer_type == "image":
        keywords |= {"colormap": "gray", "contrast_limits": image.window, "blending": "translucent_no_depth"}
    else:
        keywords |= {"opacity": 0.4}
    return keywords


def layer_data(images: Iterable[DisplayImage]) -> list[tuple[Any, dict[str, Any], str]]:
    """Images as a reader returns them."""
    return [(image.placed.data, keywords_of(image), image.layer_type) for image in images]


def show_session(viewer: Viewer, label: str, images: Sequence[DisplayImage]) -> None:
    """Show a session's images; other sessions are hidden, and layers that another study left under this name go."""
    paths = {str(image.path) for image in images}
    for layer in [layer for layer in viewer.layers if _session(layer) == label]:
        if layer.metadata[_METADATA]["path"] not in paths:
            viewer.layers.remove(layer)
    show(viewer, images)
    for layer in viewer.layers:
        if _METADATA in layer.metadata and _session(layer) != label:
            layer.visible = False
        elif _session(layer) == label and layer.metadata[_METADATA]["kind"] in {"magnitude", _CHI}:
            layer.visible = True


def show(viewer: Viewer, images: Iterable[DisplayImage]) -> None:
    """Add images, or renew the layers of the same file; the first ones of an empty viewer set the view."""
    empty = len(viewer.layers) == 0
    for image in images:
        layer = next((layer for layer in viewer.layers if _is_of(layer, image)), None)
        if layer is not None and _fits(layer, image):
            layer.data = image.placed.data
            if image.layer_type == "image":
                widen(layer)
            continue
        if layer is not None:
            viewer.layers.remove(layer)
        if image.layer_type == "labels":
            viewer.add_labels(image.placed.data, **keywords_of(image))
        else:
            widen(viewer.add_image(image.placed.data, **keywords_of(image)))
    if empty and len(viewer.layers):
        viewer.reset_view()
    mark_sides(viewer)


def remove_below(viewer: Viewer, folder: Path) -> None:
    """Remove layers of files in a folder."""
    for layer in [layer for layer in viewer.layers if _METADATA in layer.metadata]:
        if Path(layer.metadata[_METADATA]["path"]).is_relative_to(folder):
            viewer.layers.remove(layer)


def widen(layer: Layer) -> None:
    """Let the contrast slider reach all values, which ``contrast_limits`` alone pins to itself."""
    data = layer.data
    first, last = layer.contrast_limits
    finite = data[np.isfinite(data)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (first, last)
    layer.contrast_limits_range = (min(low, first), max(high, last, first + 1e-6))
    layer.contrast_limits = (first, last)


def widen_ours(viewer: Viewer) -> None:
    """`widen` every image layer of ours, such as those that a reader made."""
    for layer in viewer.layers:
        if _METADATA in layer.metadata and hasattr(layer, "contrast_limits"):
            widen(layer)


def _session(layer: Layer) -> str | None:
    """Session of a layer of ours."""
    ours = layer.metadata.get(_METADATA)
    return None if ours is None else str(ours["session"]) or None


def _is_of(layer: Layer, image: DisplayImage) -> bool:
    ours = layer.metadata.get(_METADATA)
    return ours is not None and bool(ours["path"] == str(image.path) and ours["kind"] == image.kind)


def _fits(layer: Layer, image: DisplayImage) -> bool:
    """Whether new data may take the place of a layer's."""
    same_grid = layer.metadata[_METADATA]["grid"].same_as(image.grid)
    return bool(same_grid and layer.data.shape == image.placed.data.shape)
