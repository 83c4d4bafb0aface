"""NIfTI volumes, read with every check that their use needs and written atomically."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

from napari_msqsm.errors import InputError, MetadataError, ShapeMismatchError
from napari_msqsm.io.atomic import atomic_path
from napari_msqsm.model.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_CHUNK_BYTES = 1 << 22
_SCANNER_CODES = (1, 2)
"""NIfTI codes of positions in the scanner; the others are templates."""
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    zlib.error,
    gzip.BadGzipFile,
    nib.filebasedimages.ImageFileError,
    nib.spatialimages.HeaderDataError,
)


@dataclass(frozen=True, eq=False)
class RawImage:
    """Values as stored and as scaled by the header.

    Parameters
    ----------
    array
        The scaled values; float32, or complex64 for complex data. As many axes as the file has.
    stored_as_integer
        Whether the file holds integers.
    slope, intercept
        The header's scaling; 1 and 0 without one.
    grid
        Of the first three axes.
    assumptions
        What the header left open.
    """

    array: NDArray[Any]
    stored_as_integer: bool
    slope: float
    intercept: float
    grid: Grid
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Volume:
    """A 3-D image on its grid."""

    array: NDArray[Any]
    grid: Grid
    assumptions: tuple[str, ...] = field(default=())


def load_raw(path: Path, *, what: str = "image") -> RawImage:
    """Read a 3-D or 4-D NIfTI file of any data type.

    Parameters
    ----------
    path
        ``.nii`` or ``.nii.gz``.
    what
        What the file is to the user, for messages.

    Raises
    ------
    InputError
        When there is no such file, it is empty, truncated or not NIfTI, or has the wrong number of axes.
    MetadataError
        When its affine cannot be used.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{what} {path} does not exist; check the path")
    if path.is_dir():
        raise InputError(f"{what} {path} is a folder; give a NIfTI file (.nii or .nii.gz)")
    if path.stat().st_size == 0:
        raise InputError(f"{what} {path} is empty (0 bytes); copy or convert it again")
    try:
        _check_to_the_end(path)
        image = nib.load(path)
    except _UNREADABLE as error:
        raise InputError(f"{what} {path} cannot be read as NIfTI ({_first_line(error)}); convert it again") from None
    if not isinstance(image, nib.Nifti1Image | nib.Nifti2Image | nib.Nifti1Pair):
        raise InputError(f"{what} {path} is not NIfTI but {type(image).__name__}; convert it to .nii.gz")
    shape = _without_trailing_ones(image.shape)
    if len(image.shape) < 3 or len(shape) > 4:
        raise InputError(f"{what} {path} has {len(image.shape)} axes {image.shape}; give a 3-D volume or a 4-D stack")
    if any(n == 0 for n in shape):
        raise InputError(f"{what} {path} has no voxels (shape {image.shape}); convert it again")
    if int(np.prod(shape)) == 1:
        raise InputError(f"{what} {path} has one voxel; give a whole image")
    _check_length(path, image, what)
    complex_values = image.get_data_dtype().kind == "c"
    if image.get_data_dtype().kind not in "iufc":
        raise InputError(f"{what} {path} holds {image.get_data_dtype()} values; give a grey-scale image")
    try:
        array = np.asarray(image.dataobj, dtype=np.complex64 if complex_values else np.float32)
    except _UNREADABLE as error:
        raise InputError(f"{what} {path} is truncated or damaged ({_first_line(error)}); copy it again") from None
    affine, assumptions = _scanner_affine(path, image)
    try:
        grid = Grid(shape[:3], affine)
    except MetadataError as error:
        raise MetadataError(f"{what} {path}: {error}") from None
    return RawImage(
        array=array.reshape(shape),
        stored_as_integer=image.get_data_dtype().kind in "iu",
        slope=_number(image.dataobj, "slope", 1.0),
        intercept=_number(image.dataobj, "inter", 0.0),
        grid=grid,
        assumptions=assumptions,
    )


def load_volume(path: Path, *, what: str = "image", allow_nan: bool = False) -> Volume:
    """Read a 3-D volume of real numbers as float32.

    Raises
    ------
    InputError
        For everything `load_raw` refuses, for 4-D or complex data, and for NaN or infinite values unless allowed.
    """
    raw = load_raw(path, what=what)
    if raw.array.ndim != 3:
        raise InputError(f"{what} {path} is a 4-D stack {raw.array.shape}; give one 3-D volume")
    if np.iscomplexobj(raw.array):
        raise InputError(f"{what} {path} holds complex numbers; give real ones")
    if not allow_nan and not np.all(np.isfinite(raw.array)):
        bad = int(np.count_nonzero(~np.isfinite(raw.array)))
        raise InputError(f"{what} {path} holds {bad} NaN or infinite values; set them to 0 outside the mask")
    return Volume(raw.array, raw.grid, raw.assumptions)


def load_mask(path: Path, *, on: Grid | None = None, what: str = "mask") -> NDArray[np.bool_]:
    """Read a mask: every voxel above 0.5.

    Raises
    ------
    InputError
        When it is empty.
    ShapeMismatchError
        When it does not lie on the grid ``on``.
    """
    volume = load_volume(path, what=what, allow_nan=True)
    if on is not None and not volume.grid.same_as(on):
        detail = "another position or voxel size" if volume.grid.shape == on.shape else f"shape {volume.grid.shape}"
        raise ShapeMismatchError(
            f"{what} {path} has {detail}, not that of the GRE {on.shape}; resample it to the GRE grid"
        )
    mask: NDArray[np.bool_] = np.nan_to_num(volume.array) > 0.5
    if not mask.any():
        raise InputError(f"{what} {path} is empty; give one with at least one voxel")
    return mask


def save_volume(path: Path, array: NDArray[Any], grid: Grid, *, sidecar: Mapping[str, Any] | None = None) -> None:
    """Write a volume atomically, with a JSON sidecar beside it when given.

    Booleans become uint8, floating-point numbers float32; the affine is stored as both sform and qform.
    """
    path = Path(path)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    elif array.dtype.kind == "f":
        array = array.astype(np.float32)
    image = nib.Nifti1Image(array, grid.affine, dtype=array.dtype)
    image.set_sform(grid.affine, code=1)
    image.set_qform(grid.affine, code=1)
    image.header.set_xyzt_units("mm", "sec")
    with atomic_path(path) as temporary:
        nib.save(image, temporary)
    if sidecar is not None:
        with atomic_path(path.with_name(path.name.removesuffix(".gz").removesuffix(".nii") + ".json")) as temporary:
            temporary.write_text(json.dumps(sidecar, indent=2, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")


def _check_to_the_end(path: Path) -> None:
    """Unpack a compressed file once: its checksum stands at the end, where nibabel does not read."""
    if path.name.endswith(".gz"):
        with gzip.open(path) as stream:
            while stream.read(_CHUNK_BYTES):
                pass


def _without_trailing_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    return tuple(int(n) for n in shape)


def _number(proxy: Any, name: str, default: float) -> float:
    value = getattr(proxy, name, None)
    return default if value is None or not np.isfinite(value) else float(value)


def _check_length(path: Path, image: Any, what: str) -> None:
    """Compare what the header promises with what the file holds, before memory is asked for."""
    promised = int(np.prod(image.shape, dtype=np.int64)) * image.get_data_dtype().itemsize
    if not path.name.endswith(".gz") and path.stat().st_size < promised:
        raise InputError(f"{what} {path} is truncated ({path.stat().st_size} of {promised} bytes); copy it again")


def _scanner_affine(path: Path, image: Any) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Where the voxels are in the scanner (B0 runs along its z axis), and what the header left open."""
    sform, qform = int(image.header["sform_code"]), int(image.header["qform_code"])
    if sform not in _SCANNER_CODES and qform in _SCANNER_CODES:
        note = f"{path.name}: its sform belongs to a template; the position in the scanner is taken from its qform"
        return image.get_qform(), (note,) if sform > 0 else ()
    if sform == 0 and qform == 0:
        axes = "".join(nib.orientations.aff2axcodes(image.affine))
        return image.affine, (
            f"{path.name} does not say how it lies in the scanner; its voxel axes are taken as {axes}",
        )
    return image.affine, ()


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
