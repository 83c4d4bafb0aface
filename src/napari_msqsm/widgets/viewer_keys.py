"""Keys bound in a viewer for a while; what they did before comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QMainWindow, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer


class ViewerKeys:
    """Keys of one use, released together.

    Parameters
    ----------
    viewer
        The viewer itself, not a proxy of it.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._before: dict[str, Any] = {}

    def bind(self, key: str, action: Callable[[], Any]) -> None:
        """Let a key do something."""
        before = self._viewer.bind_key(key, lambda _: action(), overwrite=True)
        self._before.setdefault(key, before)

    def release(self) -> None:
        """Give the keys back."""
        for key, before in self._before.items():
            self._viewer.bind_key(key, before, overwrite=True)
        self._before.clear()


def focus_canvas(beside: QWidget) -> None:
    """Let the keyboard speak to the canvas of the window that a widget is docked in, if it is."""
    window = beside.window()
    if not isinstance(window, QMainWindow):
        return
    centre = window.centralWidget()
    canvas = None if centre is None else centre.findChild(QOpenGLWidget)
    if canvas is not None:
        canvas.setFocus()
