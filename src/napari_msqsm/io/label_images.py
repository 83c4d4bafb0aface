"""Masks, label images and probability maps of other programs: NIfTI, and FreeSurfer's ``.mgz``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import nibabel as nib
import numpy as np

from napari_msqsm.errors import InputError, MetadataError
from napari_msqsm.io.nifti import Volume, load_volume
from napari_msqsm.model.grid import Grid

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_MGH_ENDINGS = (".mgz", ".mgh")
_ROUNDING = 1e-3
_LARGEST_LABEL = 1 << 24

Content = Literal["mask", "labels", "probability"]


@dataclass(frozen=True, eq=False)
class LabelImage:
    """What a segmentation file holds.

    Parameters
    ----------
    volume
        The values as stored.
    content
        ``mask`` for one value besides zero, ``labels`` for several whole numbers, ``probability`` for values
        between 0 and 1.
    """

    volume: Volume
    content: Content

    @property
    def labels(self) -> tuple[int, ...]:
        """Whole numbers that occur, besides zero; empty for a probability map."""
        if self.content == "probability":
            return ()
        found = np.unique(np.rint(self.volume.array).astype(np.int64))
        return tuple(int(number) for number in found if number != 0)


def load_label_image(path: Path) -> LabelImage:
    """Read a segmentation and tell what it holds.

    Raises
    ------
    InputError
        When it cannot be read, is empty, or holds neither whole numbers nor probabilities.
    """
    if path.name.lower().endswith(_MGH_ENDINGS):
        volume = _load_mgh(path)
    else:
        volume = load_volume(path, what="mask", allow_nan=True)
    values = np.nan_to_num(volume.array, nan=0.0, posinf=0.0, neginf=0.0)
    volume = Volume(values, volume.grid, volume.assumptions)
    if not values.any():
        raise InputError(f"mask {path} is empty; give one with at least one voxel")
    low, high = float(values.min()), float(values.max())
    if np.all(np.abs(values - np.rint(values)) < _ROUNDING):
        if low < 0 or high > _LARGEST_LABEL:
            raise InputError(f"mask {path} holds numbers from {low:g} to {high:g}; labels are 0 and above")
        inside = values[np.rint(values) != 0]
        return LabelImage(volume, "mask" if np.ptp(inside) < _ROUNDING else "labels")
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise InputError(
            f"mask {path} holds fractions from {low:.3g} to {high:.3g}: neither labels nor probabilities from 0 to 1; "
            "is it an image, or labels that were interpolated?"
        )
    return LabelImage(volume, "probability")


def _load_mgh(path: Path) -> Volume:
    if not path.exists():
        raise InputError(f"mask {path} does not exist; check the path")
    try:
        image: Any = nib.load(path, mmap=False)
        array: NDArray[Any] = np.asarray(image.dataobj, dtype=np.float32)
        affine = np.asarray(image.affine)
    except Exception as error:  # noqa: BLE001  nibabel trips over damaged headers in many ways
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"mask {path} cannot be read as a FreeSurfer image ({line}); copy it again") from None
    if array.ndim == 4 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim != 3:
        raise InputError(f"mask {path} has shape {array.shape}; give one 3-D volume")
    try:
        grid = Grid(array.shape, affine)
    except MetadataError as error:
        raise MetadataError(f"mask {path}: {error}") from None
    return Volume(array, grid)
