"""The lesion of one slice, on another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_msqsm.lesions.tools.fill import slice_window
from napari_msqsm.lesions.tools.window import flat_index

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def copied_to_slice(labels: NDArray[Any], label: int, *, axis: int, source: int, target: int) -> NDArray[np.int64]:
    """Voxels that a lesion gets in a slice when it is copied there from another one.

    Parameters
    ----------
    labels
        (X, Y, Z).
    label
        Of the lesion.
    axis
        Axis perpendicular to the slices.
    source, target
        Slices.

    Returns
    -------
    NDArray
        (n,) flat index, C order, sorted: what has no label yet. Voxels of other lesions stay theirs.

    Raises
    ------
    ParameterError
        When there is no such axis or slice.
    """
    there = slice_window(labels.shape, axis, target)
    drawn = labels[slice_window(labels.shape, axis, source)] == label
    return flat_index(drawn & (labels[there] == 0), there, labels.shape)
