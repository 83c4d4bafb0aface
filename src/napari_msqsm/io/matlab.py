"""Susceptibility maps in MATLAB files, as the MEDI toolbox leaves them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.io

from napari_msqsm.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_MAPS = ("QSM", "qsm", "x", "chi", "Chi")
_MAGNITUDES = ("iMag", "imag", "mag")
_MASKS = ("Mask", "mask")
_HDF5 = b"MATLAB 7.3"


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
    """Read ``QSM`` (or ``x``, ``chi``), ``iMag`` and ``Mask`` of a ``.mat`` file up to version 7.

    Raises
    ------
    InputError
        When the file cannot be read, is of version 7.3 (HDF5), or holds no map.
    """
    try:
        with path.open("rb") as stream:
            newer = stream.read(len(_HDF5)) == _HDF5
        if newer:
            raise InputError(
                f"susceptibility map {path} is a MATLAB 7.3 file; save it with save(…, '-v7'), or as NIfTI"
            )
        found = scipy.io.loadmat(path, variable_names=[*_MAPS, *_MAGNITUDES, *_MASKS])
    except FileNotFoundError:
        raise InputError(f"susceptibility map {path} does not exist; check the path") from None
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001  scipy's parser trips over damaged bytes in many ways
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"susceptibility map {path} cannot be read as a MATLAB file ({line}); save it again") from None
    chi = _first_volume(found, _MAPS)
    if chi is None:
        raise InputError(f"{path} holds no susceptibility map (a 3-D variable QSM, x or chi); save it as NIfTI")
    magnitude, mask = _first_volume(found, _MAGNITUDES), _first_volume(found, _MASKS)
    return MatlabMap(
        chi=np.ascontiguousarray(chi, dtype=np.float32),
        magnitude=None if magnitude is None or magnitude.shape != chi.shape else np.abs(magnitude).astype(np.float32),
        mask=None if mask is None or mask.shape != chi.shape else np.asarray(mask > 0),
    )


def _first_volume(found: dict[str, Any], names: tuple[str, ...]) -> NDArray[Any] | None:
    for name in names:
        value = found.get(name)
        if isinstance(value, np.ndarray) and value.ndim == 3 and value.dtype.kind in "iufb":
            return value
    return None
