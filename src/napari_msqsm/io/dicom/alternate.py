"""Real and imaginary images whose alternate slices have opposite signs (GE): undone in the files of a series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

from napari_msqsm.io.phase import alternate_slices_flipped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ALTERNATE = (
    "alternate slices of the real and imaginary images had opposite signs (as GE stores them); they were corrected"
)


def undo_alternate_signs(
    real: Mapping[float | None, Sequence[Path]], imaginary: Mapping[float | None, Sequence[Path]]
) -> bool:
    """Recognise it in the earliest echo that has both, and correct all.

    Integers are negated as they are; files whose scaling has an intercept are written anew in single precision.

    Parameters
    ----------
    real, imaginary
        Uncompressed 3-D NIfTI files by echo time; more than one where an echo was exported twice.

    Returns
    -------
    bool
        Whether anything was changed.
    """
    both = sorted(set(real) & set(imaginary), key=lambda time: time or 0.0)
    if not both:
        return False
    parts = [np.asarray(_load(part[both[0]][0]).dataobj, np.float32) for part in (real, imaginary)]
    if parts[0].ndim != 3 or parts[0].shape != parts[1].shape:
        return False
    _, axes = alternate_slices_flipped((parts[0] + 1j * parts[1]).astype(np.complex64)[None])
    for axis in axes:
        for path in (path for part in (real, imaginary) for paths in part.values() for path in paths):
            _negate(path, axis)
    return bool(axes)


def _load(path: Path) -> Any:
    return nib.nifti1.Nifti1Image.from_filename(path)


def _negate(path: Path, axis: int) -> None:
    """Negate every second slice of a file."""
    image = _load(path)
    odd = [slice(None)] * 3
    odd[axis] = slice(1, None, 2)
    where = tuple(odd)
    stored = np.array(image.dataobj.get_unscaled())
    slope, intercept = image.dataobj.slope, image.dataobj.inter
    integer = stored.dtype.kind == "i" and intercept == 0 and stored.min() > np.iinfo(stored.dtype).min
    if stored.ndim != 3:
        return
    if integer or (stored.dtype.kind == "f" and intercept == 0):
        stored[where] = -stored[where]
        with path.open("rb+") as stream:
            stream.seek(int(image.dataobj.offset))
            stream.write(stored.tobytes(order="F"))
        return
    values = (stored * np.float64(slope) + np.float64(intercept)).astype(np.float32)
    values[where] = -values[where]
    header = image.header.copy()
    header.set_data_dtype(np.float32)
    header.set_slope_inter(1.0, 0.0)
    fresh = nib.nifti1.Nifti1Image(values, None, header)
    temporary = path.with_name("anew.nii")
    nib.save(fresh, temporary)
    temporary.replace(path)
