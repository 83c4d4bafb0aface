"""Susceptibility maps in MATLAB files, as the MEDI toolbox leaves them.

The numeric arrays of a MAT-file of version 5 to 7 are read here and nothing else of it: a damaged file must end in a
sentence, and SciPy's reader ends the process on some.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_MAPS = ("QSM", "qsm", "x", "chi", "Chi")
_MAGNITUDES = ("iMag", "imag", "mag")
_MASKS = ("Mask", "mask")
_HDF5 = b"MATLAB 7.3"
_HEADER_BYTES = 128
_BYTE_ORDER = {b"IM": "<", b"MI": ">"}
_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_NUMERIC_CLASSES = range(6, 16)
_ENOUGH_FOR_A_NAME = 512


@dataclass(frozen=True, eq=False)
class MatlabMap:
    """A map without a position in the scanner, and what was saved beside it on the same voxels.

    Parameters
    ----------
    chi
        (X, Y, Z), in the file's unit.
    magnitude, mask
        (X, Y, Z); None where the file has none.
    """

    chi: NDArray[np.float32]
    magnitude: NDArray[np.float32] | None
    mask: NDArray[np.bool_] | None


def read_matlab_map(path: Path) -> MatlabMap:
    """Read ``QSM`` (or ``x``, ``chi``), ``iMag`` and ``Mask`` of a ``.mat`` file of version 5 to 7.

    Raises
    ------
    InputError
        When the file cannot be read, is of version 7.3 (HDF5), or holds no map.
    """
    if not path.is_file():
        raise InputError(f"susceptibility map {path} does not exist; check the path")
    data = path.read_bytes()
    if data.startswith(_HDF5):
        raise InputError(f"susceptibility map {path} is a MATLAB 7.3 file; save it with save(…, '-v7'), or as NIfTI")
    try:
        found = _volumes(data, {*_MAPS, *_MAGNITUDES, *_MASKS})
    except (ValueError, OverflowError, zlib.error) as error:
        raise InputError(
            f"susceptibility map {path} cannot be read as a MATLAB file ({error}); save it again"
        ) from None
    chi = _first(found, _MAPS)
    if chi is None:
        raise InputError(f"{path} holds no susceptibility map (a 3-D variable QSM, x or chi); save it as NIfTI")
    magnitude, mask = _first(found, _MAGNITUDES), _first(found, _MASKS)
    with np.errstate(over="ignore", invalid="ignore"):  # absurd values are refused where the map is checked
        return MatlabMap(
            chi=np.ascontiguousarray(chi, dtype=np.float32),
            magnitude=_like(chi, magnitude, lambda values: np.abs(values).astype(np.float32)),
            mask=_like(chi, mask, lambda values: np.asarray(values > 0)),
        )


def _like(chi: NDArray[Any], values: NDArray[Any] | None, make: Callable[[NDArray[Any]], Any]) -> Any:
    return None if values is None or values.shape != chi.shape else make(values)


def _first(found: dict[str, NDArray[Any]], names: tuple[str, ...]) -> NDArray[Any] | None:
    return next((found[name] for name in names if name in found), None)


def _volumes(data: bytes, wanted: Collection[str]) -> dict[str, NDArray[Any]]:
    """Numeric 3-D arrays of a file by name; ValueError where it is damaged."""
    order = _BYTE_ORDER.get(data[_HEADER_BYTES - 2 : _HEADER_BYTES])
    if order is None:
        raise ValueError("it has no MATLAB 5 header")
    found = {}
    for kind, content in _elements(memoryview(data)[_HEADER_BYTES:], order):
        if kind == _COMPRESSED:
            start = memoryview(zlib.decompressobj().decompress(content, _ENOUGH_FOR_A_NAME))
            if _name_of(start[8:], order) not in wanted:
                continue
            inner = next(_elements(memoryview(zlib.decompress(content)), order), None)
            if inner is None:
                raise ValueError("a variable is empty")
            kind, content = inner
        if kind == _MATRIX and (name := _name_of(content, order)) in wanted:
            array = _numbers(content, order)
            if array is not None and array.ndim == 3:
                found[name] = array
    return found


def _elements(data: memoryview, order: str, *, whole: bool = True) -> Iterator[tuple[int, memoryview]]:
    """Yield data elements one after the other; ``whole`` refuses one that ends behind the data."""
    at = 0
    while at + 8 <= len(data):
        kind, size = (int(number) for number in np.frombuffer(data[at : at + 8], dtype=f"{order}u4"))
        if kind >> 16:  # a small element: size and type share the first word, its content is the second
            size, kind, begin, step = kind >> 16, kind & 0xFFFF, at + 4, 8
            if size > 4:
                raise ValueError("a small element is too long")
        else:
            begin = at + 8
            step = 8 + (size if kind == _COMPRESSED else size + -size % 8)
        if begin + size > len(data):
            if whole:
                raise ValueError("it is truncated")
            return
        yield kind, data[begin : begin + size]
        at += step


def _name_of(matrix: memoryview, order: str) -> str:
    """Name of a variable, from the beginning of its element; empty where it has none."""
    parts = _elements(matrix, order, whole=False)
    content = next((part for number, (_, part) in enumerate(parts) if number == 2), None)
    return "" if content is None else bytes(content).decode("latin-1")


def _numbers(matrix: memoryview, order: str) -> NDArray[Any] | None:
    """Real part of a numeric array; None for other variables."""
    parts = list(_elements(matrix, order))
    if len(parts) < 4:
        raise ValueError("a variable is incomplete")
    (_, flags), (_, sizes), _, (kind, content) = parts[:4]
    if len(flags) < 4 or int(np.frombuffer(flags[:4], dtype=f"{order}u4")[0]) & 0xFF not in _NUMERIC_CLASSES:
        return None
    if kind not in _NUMBERS or len(sizes) % 4:
        raise ValueError("a variable has an unknown type")
    shape = tuple(int(n) for n in np.frombuffer(sizes, dtype=f"{order}i4"))
    dtype = np.dtype(f"{order}{_NUMBERS[kind]}")
    if min(shape, default=0) <= 0 or math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError("size and content of a variable disagree")
    return np.frombuffer(content, dtype=dtype).reshape(shape, order="F")
