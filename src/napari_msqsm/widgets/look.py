"""Where a viewer looks, in axes of space: kept from image to image, whatever other axes there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari import Viewer


@dataclass(frozen=True)
class Look:
    """Axes, place and camera of a viewer.

    Parameters
    ----------
    order
        Order of the axes of space, counted from the last one: (−3, −2, −1) shows axial slices.
    point
        (z, y, x) that the sliders are at.
    centre, zoom
        Of the camera.
    """

    order: tuple[int, ...]
    point: tuple[float, ...]
    centre: tuple[float, ...]
    zoom: float


def look_of(viewer: Viewer) -> Look:
    """Tell where a viewer looks."""
    dims, camera = viewer.dims, viewer.scene.camera
    order = tuple(int(axis) - dims.ndim for axis in dims.order[-3:])
    return Look(order, tuple(dims.point[-3:]), tuple(camera.center), camera.zoom)


def set_look(viewer: Viewer, look: Look) -> None:
    """Look there."""
    dims, camera = viewer.dims, viewer.scene.camera
    dims.order = (*range(dims.ndim - 3), *(axis + dims.ndim for axis in look.order))
    set_point(viewer, look.point)
    camera.center, camera.zoom = look.centre, look.zoom


def set_point(viewer: Viewer, point: Any) -> None:
    """Move the sliders to (z, y, x)."""
    first = viewer.dims.ndim - len(point)
    viewer.dims.set_point(range(first, viewer.dims.ndim), [float(value) for value in point])
