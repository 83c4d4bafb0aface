"""Where the lesions of a label image are: a box about each, kept up to date with what is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

Box = tuple[slice, slice, slice]
_MANY = 24
"""Of a change with more labels than this, all boxes are found again."""


class LabelBoxes:
    """Boxes about the labels of one image.

    Parameters
    ----------
    labels
        (X, Y, Z) the live label image.

    Notes
    -----
    One pass over the image when it is made; after that only boxes are looked at, so that a lesion of a patient with
    hundreds of them on ten sessions is found in microseconds.
    """

    def __init__(self, labels: NDArray[np.uint16]) -> None:
        self._labels = labels
        self._boxes: dict[int, Box] = {}
        self._loose: set[int] = set()
        self._find()

    def box(self, label: int) -> Box | None:
        """Smallest box about a label; None where it has no voxel."""
        if label in self._loose:
            self._tighten(label)
        return self._boxes.get(label)

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels that have voxels."""
        for label in tuple(self._loose):
            self._tighten(label)
        return tuple(sorted(self._boxes))

    def note(self, index: NDArray[np.int64], before: NDArray[np.uint16], after: NDArray[np.uint16]) -> None:
        """Take note of voxels (flat index) that got another label and hold it now."""
        grown = [int(label) for label in np.unique(after) if label]
        shrunk = [int(label) for label in np.unique(before) if label]
        if len(grown) + len(shrunk) > _MANY:
            self._find()
            return
        self._loose.update(shrunk)
        for label in grown:
            at = np.unravel_index(index[after == label], self._labels.shape)
            self._grow(label, tuple((int(each.min()), int(each.max()) + 1) for each in at))

    def _find(self) -> None:
        self._loose.clear()
        found = ndimage.find_objects(self._labels)
        self._boxes = {label: (box[0], box[1], box[2]) for label, box in enumerate(found, start=1) if box is not None}

    def _grow(self, label: int, reach: tuple[tuple[int, int], ...]) -> None:
        old = self._boxes.get(label)
        if old is not None:
            reach = tuple(
                (min(low, part.start), max(high, part.stop)) for (low, high), part in zip(reach, old, strict=True)
            )
        x, y, z = (slice(low, high) for low, high in reach)
        self._boxes[label] = (x, y, z)

    def _tighten(self, label: int) -> None:
        self._loose.discard(label)
        box = self._boxes.pop(label, None)
        if box is None:
            return
        found = ndimage.find_objects((self._labels[box] == label).astype(np.uint8))
        if found:
            x, y, z = (
                slice(whole.start + part.start, whole.start + part.stop)
                for whole, part in zip(box, found[0], strict=True)
            )
            self._boxes[label] = (x, y, z)
