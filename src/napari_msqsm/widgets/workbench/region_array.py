"""Regions in display order, as napari takes and changes them: every write goes through a pen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.widgets.display import to_display

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.widgets.workbench.regions import Regions

Write = Callable[["NDArray[np.int64]", "NDArray[np.uint16]"], None]


class RegionArray:
    """What napari needs of a label image in display order (z, y, x), uint16.

    Parameters
    ----------
    regions
        What is seen; its arrays are looked at, never copied as a whole.
    write
        Called with the flat index, C order over (X, Y, Z), and the labels of voxels that somebody sets.

    Notes
    -----
    Reading returns copies, so that nothing is written behind the pen's back.
    """

    dtype = np.dtype(np.uint16)
    ndim = 3

    def __init__(self, regions: Regions, write: Write) -> None:
        self._regions = regions
        self._write = write
        self._views = [to_display(array, regions.grid).data for array in regions.arrays]
        self.shape: tuple[int, int, int] = self._views[0].shape
        self._index = _index_along(regions.arrays[0], self._views[0])

    @property
    def size(self) -> int:
        """Number of voxels."""
        return self.shape[0] * self.shape[1] * self.shape[2]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        return self._regions.seen([view[key] for view in self._views])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)

    def __setitem__(self, key: Any, value: Any) -> None:
        index = self._flat(key)
        shown = self[key]
        wanted = np.broadcast_to(np.asarray(value, dtype=np.uint16), shown.shape)
        differ = shown != wanted
        if np.any(differ):
            self._write(index.reshape(shown.shape)[differ], wanted[differ])

    def _flat(self, key: Any) -> NDArray[np.int64]:
        """Flat index over (X, Y, Z) of what a key selects."""
        keys = list(key) if isinstance(key, tuple) else [key]
        if Ellipsis in [each if each is Ellipsis else None for each in keys]:
            place = next(i for i, each in enumerate(keys) if each is Ellipsis)
            keys[place : place + 1] = [slice(None)] * (4 - len(keys))
        keys += [slice(None)] * (3 - len(keys))
        along = [steps[each] for steps, each in zip(self._index, keys, strict=True)]
        if any(isinstance(each, np.ndarray | list) for each in keys):
            return np.asarray(sum(along), dtype=np.int64)
        open_axes = [np.atleast_1d(each) for each in along]
        return np.asarray(sum(np.ix_(*open_axes)), dtype=np.int64)


def _index_along(array: NDArray[Any], view: NDArray[Any]) -> list[NDArray[np.int64]]:
    """Tell what each axis of a view adds to the flat index in its array; the first one has its first voxel in it."""
    start = view.__array_interface__["data"][0] - array.__array_interface__["data"][0]
    steps = [
        np.arange(n, dtype=np.int64) * (stride // view.itemsize)
        for n, stride in zip(view.shape, view.strides, strict=True)
    ]
    steps[0] += start // view.itemsize
    return steps
