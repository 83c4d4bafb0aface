"""Images in memory: those that were asked for last, up to a limit."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid

    Image = tuple[NDArray[np.float32], Grid]

MOST_BYTES = 400_000_000
"""About eight FLAIR images of 1 mm: those of a session that is looked at, and of its neighbours."""


class KeptImages:
    """Images by session and contrast; the one that was not asked for longest goes first.

    Parameters
    ----------
    most_bytes
        Memory that they may take; one image is always kept.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._images: OrderedDict[tuple[str, str], Image] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str], load: Callable[[], Image]) -> Image:
        """Give an image; it is read where it is not kept. May be called from several threads."""
        with self._lock:
            if key in self._images:
                self._images.move_to_end(key)
                return self._images[key]
        image = load()
        with self._lock:
            self._images[key] = image
            self._images.move_to_end(key)
            while len(self._images) > 1 and self.n_bytes > self._most_bytes:
                self._images.popitem(last=False)
        return image

    @property
    def n_bytes(self) -> int:
        """Memory that they take."""
        return sum(array.nbytes for array, _ in self._images.values())

    def clear(self) -> None:
        """Let go of all."""
        with self._lock:
            self._images.clear()
