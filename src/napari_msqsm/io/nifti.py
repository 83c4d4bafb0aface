"""NIfTI volumes, read with every check that their use needs and written atomically."""

from __future__ import annotations

import gzip
import json
import math
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
_FIRST_TEMPLATE_CODE = 3
"""NIfTI codes: 1 in the scanner, 2 aligned to another image, 3 and above in a template."""
_MM_PER_UNIT = {1: 1e3, 3: 1e-3}
"""NIfTI codes of metre and micrometre; everything else is mm."""
_SMALLEST_VOXEL_MM, _LARGEST_VOXEL_MM = 0.005, 100.0
_FORMS_APART_MM = 1.0
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    OverflowError,
    TypeError,
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
    image, shape = _opened(path, what)
    try:
        n_bytes = _unpacked_bytes(path)
    except _UNREADABLE as error:
        raise InputError(f"{what} {path} cannot be read as NIfTI ({_first_line(error)}); convert it again") from None
    if n_bytes is not None and n_bytes < (promised := _promised_bytes(image)):
        raise InputError(f"{what} {path} is truncated ({n_bytes} of {promised} bytes); copy it again")
    complex_values = image.get_data_dtype().kind == "c"
    if image.get_data_dtype().kind not in "iufc":
        raise InputError(f"{what} {path} holds {image.get_data_dtype()} values; give a grey-scale image")
    try:
        array = np.asarray(image.dataobj, dtype=np.complex64 if complex_values else np.float32)
    except _UNREADABLE as error:
        raise InputError(f"{what} {path} is truncated or damaged ({_first_line(error)}); copy it again") from None
    grid, assumptions = _placed(path, image, shape, what)
    return RawImage(
        array=array.reshape(shape),
        stored_as_integer=image.get_data_dtype().kind in "iu",
        slope=_number(image.dataobj, "slope", 1.0),
        intercept=_number(image.dataobj, "inter", 0.0),
        grid=grid,
        assumptions=assumptions,
    )


def load_grid(path: Path, *, what: str = "image") -> Grid:
    """Grid of the first three axes of an image, from its header alone.

    Raises
    ------
    InputError, MetadataError
        As `load_raw` does, as far as the header tells.
    """
    path = Path(path)
    image, shape = _opened(path, what)
    return _placed(path, image, shape, what)[0]


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
    if array.shape[:3] != grid.shape:
        raise ShapeMismatchError(f"an array of shape {array.shape} does not fit a grid of {grid.shape} ({path})")
    text = None if sidecar is None else json.dumps(sidecar, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
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
    if text is not None:
        with atomic_path(path.with_name(path.name.removesuffix(".gz").removesuffix(".nii") + ".json")) as temporary:
            temporary.write_text(text, "utf-8")


def _opened(path: Path, what: str) -> tuple[Any, tuple[int, ...]]:
    """Header of an image, and its shape without trailing ones."""
    if path.is_symlink() and not path.exists():
        raise InputError(f"{what} {path} is a link to a file that is not there; fetch its content")
    if not path.exists():
        raise InputError(f"{what} {path} does not exist; check the path")
    if path.is_dir():
        raise InputError(f"{what} {path} is a folder; give a NIfTI file (.nii or .nii.gz)")
    if path.stat().st_size == 0:
        raise InputError(f"{what} {path} is empty (0 bytes); copy or convert it again")
    try:
        image: Any = nib.load(path)
    except _UNREADABLE as error:
        raise InputError(f"{what} {path} cannot be read as NIfTI ({_first_line(error)}); convert it again") from None
    if not isinstance(image, nib.Nifti1Image | nib.Nifti2Image | nib.Nifti1Pair):
        raise InputError(f"{what} {path} is not NIfTI but {type(image).__name__}; convert it to .nii.gz")
    shape = _without_trailing_ones(image.shape)
    if len(image.shape) < 3 or len(shape) > 4:
        raise InputError(f"{what} {path} has {len(image.shape)} axes {image.shape}; give a 3-D volume or a 4-D stack")
    if any(n == 0 for n in shape):
        raise InputError(f"{what} {path} has no voxels (shape {image.shape}); convert it again")
    if int(np.prod(shape[:3])) == 1:
        raise InputError(f"{what} {path} has one voxel; give a whole image")
    return image, shape


def _placed(path: Path, image: Any, shape: tuple[int, ...], what: str) -> tuple[Grid, tuple[str, ...]]:
    """Grid of an image, and what its header left open."""
    try:
        affine, assumptions = _scanner_affine(path, image)
        grid = Grid(shape[:3], affine)
    except (MetadataError, nib.spatialimages.HeaderDataError) as error:
        raise MetadataError(f"{what} {path}: {error}") from None
    edges = grid.voxel_size_mm
    if min(edges) < _SMALLEST_VOXEL_MM or max(edges) > _LARGEST_VOXEL_MM:
        raise MetadataError(
            f"{what} {path} would have voxels of {edges[0]:g}×{edges[1]:g}×{edges[2]:g} mm; repair the header's unit"
        )
    return grid, assumptions


def _unpacked_bytes(path: Path) -> int | None:
    """Length of a file; of a compressed one unpacked, which reads it to its checksum, where nibabel does not read.

    None where the values lie in another file, or the compression is another one.
    """
    name = path.name.lower()
    if name.endswith(".nii"):
        return path.stat().st_size
    if not name.endswith(".nii.gz"):
        return None
    with gzip.open(path) as stream:
        return sum(len(chunk) for chunk in iter(lambda: stream.read(_CHUNK_BYTES), b""))


def _promised_bytes(image: Any) -> int:
    """Length of the file by its header."""
    return int(image.dataobj.offset + math.prod(image.shape) * image.get_data_dtype().itemsize)


def _without_trailing_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    return tuple(int(n) for n in shape)


def _number(proxy: Any, name: str, default: float) -> float:
    value = getattr(proxy, name, None)
    return default if value is None or not np.isfinite(value) else float(value)


def _scanner_affine(path: Path, image: Any) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Where the voxels are in the scanner (B0 runs along its z axis) in mm, and what the header left open."""
    mm = _MM_PER_UNIT.get(int(image.header["xyzt_units"]) & 7, 1.0)
    in_mm = np.diag((mm, mm, mm, 1.0))
    forms = {name: in_mm @ form for name, form in _coded_forms(image).items()}
    codes = {name: int(image.header[f"{name}_code"]) for name in forms}
    if not forms:
        axes = "".join(nib.orientations.aff2axcodes(image.affine))
        note = f"{path.name} does not say how it lies in the scanner; its voxel axes are taken as {axes}"
        return in_mm @ image.affine, (note,)
    best = min(forms, key=lambda name: codes[name])
    if codes[best] >= _FIRST_TEMPLATE_CODE:
        note = f"{path.name} lies in a template, not in the scanner; B0 is taken along the template's z axis"
        return forms[best], (note,)
    if len(forms) == 2 and _apart_mm(forms["sform"], forms["qform"], image.shape[:3]) > _FORMS_APART_MM:
        note = f"{path.name}: its sform and qform disagree; the position in the scanner is taken from its {best}"
        return forms[best], (note,)
    return forms[best], ()


def _coded_forms(image: Any) -> dict[str, NDArray[np.float64]]:
    """Affines that the header declares, sform first."""
    forms = {}
    if int(image.header["sform_code"]) > 0:
        forms["sform"] = image.header.get_sform()
    if int(image.header["qform_code"]) > 0:
        try:
            forms["qform"] = image.header.get_qform()
        except _UNREADABLE:
            if not forms:
                raise
    return forms


def _apart_mm(one: NDArray[np.float64], other: NDArray[np.float64], shape: tuple[int, ...]) -> float:
    """How far the farthest corner moves between two affines."""
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape], [1], indexing="ij")).reshape(4, -1)
    return float(np.max(np.abs((one - other) @ corners)))


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
