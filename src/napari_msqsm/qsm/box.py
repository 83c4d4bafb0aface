"""Working on the part of an image that matters: a padded box around a mask, of a size whose FFT is fast."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from array_api_compat import device

from napari_msqsm._backend import fast_fft_length, namespace_of
from napari_msqsm.errors import InputError

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


@dataclass(frozen=True)
class Box:
    """Where the box lies.

    Parameters
    ----------
    full_shape
        Shape of the image.
    inner
        The slices of the image that the box holds.
    offset
        Index inside the box at which that part begins.
    shape
        Shape of the box; what lies outside the image is zero.
    """

    full_shape: tuple[int, int, int]
    inner: tuple[slice, slice, slice]
    offset: tuple[int, int, int]
    shape: tuple[int, int, int]

    @property
    def place(self) -> tuple[slice, slice, slice]:
        """Slices of the box that the image part fills."""
        x, y, z = (
            slice(first, first + part.stop - part.start) for first, part in zip(self.offset, self.inner, strict=True)
        )
        return x, y, z

    def crop(self, image: Array) -> Array:
        """Part of the image in a zero-filled box of ``shape``."""
        xp = namespace_of(image)
        out = xp.zeros(self.shape, dtype=image.dtype, device=device(image))
        out[self.place] = image[self.inner]
        return out

    def embed(self, part: Array) -> Array:
        """Inverse of `crop`; zero outside."""
        xp = namespace_of(part)
        out = xp.zeros(self.full_shape, dtype=part.dtype, device=device(part))
        out[self.inner] = part[self.place]
        return out


def box_around(
    mask: Array, voxel_size_mm: tuple[float, float, float], *, margin_mm: float, stay_inside: bool = False
) -> Box:
    """Box around a mask with a margin on every side, enlarged to a fast FFT length.

    Parameters
    ----------
    mask
        (X, Y, Z) bool.
    voxel_size_mm
        Voxel edges.
    margin_mm
        Least distance from the mask to the edge of the box, so that its periodic images stay apart.
    stay_inside
        Hold all of the image that fits into the box, not the mask alone.

    Raises
    ------
    InputError
        When the mask is empty.
    """
    xp = namespace_of(mask)
    inner, offset, shape = [], [], []
    for axis, (n, step) in enumerate(zip(mask.shape, voxel_size_mm, strict=True)):
        filled = xp.nonzero(xp.any(mask, axis=tuple(a for a in range(3) if a != axis)))[0]
        if filled.shape[0] == 0:
            raise InputError("the mask is empty; give a brain mask with at least one voxel")
        first, last = int(filled[0]), int(filled[-1]) + 1
        margin = math.ceil(margin_mm / step)
        if stay_inside:
            first, last, length = 0, n, fast_fft_length(n + margin)
        else:
            length = fast_fft_length(last - first + margin)
            spare = length - (last - first)
            first, last = max(0, first - spare // 2), min(n, last + spare - spare // 2)
        inner.append(slice(first, last))
        offset.append((length - (last - first)) // 2)
        shape.append(length)
    return Box(tuple(mask.shape), tuple(inner), tuple(offset), tuple(shape))  # type: ignore[arg-type]
