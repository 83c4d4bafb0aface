"""Whether the slices of a converted image are the frames that belong there.

Converters sort the frames of enhanced files by rules that differ between vendors and software; the sum of the stored
values of every slice is compared with that of the frame at its position.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

from napari_msqsm.io.dicom.elements import OtherEncodingError, read_elements

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.io.dicom.frames import FrameGroup
    from napari_msqsm.io.dicom.instance import Instance

_SAME_PLACE_MM = 0.05
_TO_RAS = np.array((-1.0, -1.0, 1.0))
_BITS = 0x00280100


def shows_frames(path: Path, source: Instance, group: FrameGroup) -> bool:
    """Compare an image with the frames of a file; what cannot be compared (compressed, rescaled) is taken as it is.

    Parameters
    ----------
    path
        Uncompressed NIfTI file.
    source
        The enhanced DICOM file.
    group
        The frames that the image should show.
    """
    image: Any = nib.nifti1.Nifti1Image.from_filename(path)
    values = np.asanyarray(image.dataobj.get_unscaled())
    sums = None if values.dtype.kind not in "iu" or values.ndim > 4 else _frame_sums(source, group)
    if sums is None:
        return True
    volumes = values.reshape(*values.shape[:3], -1).astype(np.uint16)
    found = volumes.sum(axis=(0, 1), dtype=np.int64)
    normal = np.cross(group.orientation[:3], group.orientation[3:]) * _TO_RAS
    there = np.array(group.positions) * _TO_RAS @ normal
    slices = np.array([image.affine[:3, :3] @ (0, 0, k) + image.affine[:3, 3] for k in range(values.shape[2])]) @ normal
    for place, own in zip(slices, found, strict=True):
        here = np.abs(there - place) < _SAME_PLACE_MM
        if sorted(sums[here].tolist()) != sorted(own.tolist()):
            return False
    return True


def _frame_sums(source: Instance, group: FrameGroup) -> NDArray[np.int64] | None:
    """Sum of the stored values of every frame; None where pixels are compressed or not of 16 bits."""
    with io.FileIO(source.path) as stream:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        try:
            found = read_elements(stream, size, {_BITS})
        except OtherEncodingError:
            return None
        if found.pixel_bytes is None or found.pixel_offset is None:
            return None
        if int.from_bytes(found.values.get(_BITS, b""), "little") != 16:
            return None
        n_pixels = source.pixels[0] * source.pixels[1]
        sums = np.empty(len(group.frames), np.int64)
        for n, frame in enumerate(group.frames):
            stream.seek(found.pixel_offset + 2 * n_pixels * frame)
            sums[n] = np.frombuffer(stream.read(2 * n_pixels), "<u2").sum(dtype=np.int64)
    return sums
