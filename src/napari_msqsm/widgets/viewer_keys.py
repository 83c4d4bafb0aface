"""Keys bound in a viewer for a while; what they did before comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
