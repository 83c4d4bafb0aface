"""Which share of every point belongs to which tissue: layers painted over one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.phantom.shapes import Points
from napari_msqsm.phantom.tissue import Tissue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from napari_msqsm.phantom.shapes import Point

Block = tuple[slice, slice, slice]


class Sampling:
    """A rectangular block of sample points in head coordinates.

    Parameters
    ----------
    affine
        (4, 4) sample index → head position in mm.
    shape
        Number of samples along each axis.
    """

    def __init__(self, affine: NDArray[np.float64], shape: tuple[int, int, int]) -> None:
        self.affine = affine
        self.shape = shape
        self._inverse = np.linalg.inv(affine)
        self.edge_mm = float(np.min(np.linalg.norm(affine[:3, :3], axis=0)))

    def points(self, block: Block | None = None) -> Points:
        """Positions of all samples, or of a block."""
        ranges = block or tuple(slice(0, n) for n in self.shape)
        i, j, k = np.ogrid[ranges]
        x, y, z = ((a * i + b * j + c * k + d).astype(np.float32) for a, b, c, d in self.affine[:3])
        return Points(x, y, z)

    def block(self, low: Point, high: Point) -> Block | None:
        """Block of samples that holds a box of head coordinates; None when they do not touch."""
        corners = np.array(np.meshgrid(*zip(low, high, strict=True), [1.0], indexing="ij")).reshape(4, -1)
        index = (self._inverse @ corners)[:3]
        first = np.maximum(np.floor(index.min(axis=1)).astype(int), 0)
        last = np.minimum(np.ceil(index.max(axis=1)).astype(int) + 1, self.shape)
        if np.any(last <= first):
            return None
        a, b, c = (slice(int(f), int(e)) for f, e in zip(first, last, strict=True))
        return a, b, c


class Composition:
    """Layers of tissue over a block of samples; later layers cover earlier ones."""

    def __init__(self, shape: tuple[int, ...], ground: Tissue) -> None:
        self.shape = shape
        self._ground = ground
        self._layers: list[tuple[Tissue, Any, NDArray[np.float32]]] = []
        self._inner: tuple[Block, Composition] | None = None

    def embed(self, inner: Composition, block: Block) -> None:
        """Let another composition fill a block of these samples."""
        self._inner = (block, inner)

    def cover(self, tissue: Tissue, share: NDArray[np.float32], where: object = ...) -> None:
        """Paint a tissue with this share (0 … 1) over the samples ``where`` (an index of the block)."""
        if isinstance(where, np.ndarray):  # a mask: keep only what is covered, as positions
            covered = share > 0
            where, share = np.flatnonzero(where)[covered].astype(np.int32), share[covered]
        if share.size and share.max() > 0:
            self._layers.append((tissue, where, share))

    def paint(self, values: Mapping[Tissue, float]) -> NDArray[np.float32]:
        """Mean over tissues of a value per tissue, at every sample."""
        image = np.full(self.shape, values[self._ground], dtype=np.float32)
        for tissue, where, share in self._layers:
            value = np.float32(values[tissue])
            if where is ...:
                image += share * (value - image)
            else:
                target = _indexed(image, where)
                part = target[where]
                target[where] = part + share * (value - part)
        if self._inner is not None:
            block, inner = self._inner
            image[block] = inner.paint(values)
        return image

    def share(self, tissues: Iterable[Tissue]) -> NDArray[np.float32]:
        """Share of every sample that belongs to these tissues."""
        wanted = set(tissues)
        return self.paint({tissue: float(tissue in wanted) for tissue in Tissue})

    def labels(self) -> NDArray[np.uint8]:
        """Tissue that covers most of every sample."""
        image = np.full(self.shape, int(self._ground), dtype=np.uint8)
        for tissue, where, share in self._layers:
            target = _indexed(image, where)
            part = target[where]
            target[where] = np.where(share > 0.5, np.uint8(tissue), part)
        if self._inner is not None:
            block, inner = self._inner
            image[block] = inner.labels()
        return image


def _indexed(image: NDArray[Any], where: object) -> NDArray[Any]:
    """View of an image that a layer's index refers to: flat for positions."""
    return image.reshape(-1) if isinstance(where, np.ndarray) else image
