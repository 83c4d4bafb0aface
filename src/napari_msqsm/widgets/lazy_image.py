"""An image that is computed part by part, when napari asks for what it is about to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_msqsm.workflow.inspect_pair.pictures import Box


class LazyImage:
    """What napari needs of an array in display order (z, y, x), float32.

    Parameters
    ----------
    shape
        (X, Y, Z) of the image in screen order of its grid, see `napari_msqsm.widgets.display.SCREEN_CODES`.
    part
        Returns the (X, Y, Z) part for a range along each axis.
    """

    dtype = np.dtype(np.float32)
    ndim = 3

    def __init__(self, shape: tuple[int, int, int], part: Callable[[Box], NDArray[Any]]) -> None:
        self.shape = (shape[2], shape[1], shape[0])
        self._part = part

    @property
    def size(self) -> int:
        """Number of voxels."""
        return self.shape[0] * self.shape[1] * self.shape[2]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray[np.float32]:
        keys = list(key) if isinstance(key, tuple) else [key]
        keys += [slice(None)] * (3 - len(keys))
        z, y, x = (
            each if isinstance(each, slice) else _one(int(each), n) for each, n in zip(keys, self.shape, strict=True)
        )
        values = np.transpose(np.asarray(self._part((x, y, z)), dtype=np.float32), (2, 1, 0))
        return values[tuple(slice(None) if isinstance(each, slice) else 0 for each in keys)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self[:], dtype=dtype, copy=copy)


def _one(index: int, n: int) -> slice:
    start = range(n)[index]
    return slice(start, start + 1)
