"""Susceptibility maps that another program made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_msqsm.errors import InputError, MetadataError, ShapeMismatchError
from napari_msqsm.io.nifti import load_volume
from napari_msqsm.units import PPB_PER_PPM

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid

_LARGEST_PPM = 20.0
_LARGEST_TYPICAL_PPM = 1.0
_SMALLEST_TYPICAL_PPM = 0.002
_CONCLUSIVE = 0.2


@dataclass(frozen=True, eq=False)
class SusceptibilityMap:
    """A map in ppm, zero outside ``mask``, and what was found out or assumed about it."""

    chi_ppm: NDArray[np.float32]
    mask: NDArray[np.bool_]
    grid: Grid
    assumptions: tuple[str, ...]


def load_susceptibility(
    path: Path,
    *,
    unit: Literal["ppm", "ppb"],
    mask: NDArray[np.bool_] | None = None,
    reference_mask: NDArray[np.bool_] | None = None,
    paramagnetic_mask: NDArray[np.bool_] | None = None,
) -> SusceptibilityMap:
    """Read a map of a declared unit.

    Parameters
    ----------
    path
        NIfTI file.
    unit
        Unit of its values.
    mask
        (X, Y, Z) voxels that have a value; those that differ from the constant background when not given.
    reference_mask
        (X, Y, Z) region whose mean becomes zero.
    paramagnetic_mask
        (X, Y, Z) region known to be paramagnetic (deep grey nuclei, veins); tells the sign.

    Raises
    ------
    MetadataError
        When the unit cannot be right, or the sign is wrong.
    ShapeMismatchError
        When a mask has another shape.
    """
    volume = load_volume(path, what="susceptibility map", allow_nan=True)
    values = np.nan_to_num(volume.array, nan=0.0, posinf=0.0, neginf=0.0) / np.float32(
        PPB_PER_PPM if unit == "ppb" else 1.0
    )
    for name, region in (("mask", mask), ("reference", reference_mask), ("paramagnetic mask", paramagnetic_mask)):
        if region is not None and region.shape != values.shape:
            raise ShapeMismatchError(
                f"{name} has shape {region.shape} but the susceptibility map {path} has {values.shape}; resample it"
            )
    inside = np.isfinite(volume.array) & (_not_background(volume.array) if mask is None else mask)
    if not inside.any():
        raise InputError(f"susceptibility map {path} is zero everywhere")
    _check_unit(path, values[inside], unit)
    notes = list(volume.assumptions)
    notes.append(_sign_note(path, values, inside, paramagnetic_mask))
    if reference_mask is not None:
        region = reference_mask & inside
        if not region.any():
            raise InputError(f"the reference region does not overlap the susceptibility map {path}")
        shift = float(values[region].mean(dtype=np.float64))
        values = values - np.float32(shift)
        notes.append(f"re-referenced: {PPB_PER_PPM * shift:+.1f} ppb were subtracted")
    else:
        notes.append("the reference of the map is the one its program chose")
    chi = np.where(inside, values, np.float32(0)).astype(np.float32)
    return SusceptibilityMap(chi, inside, volume.grid, tuple(notes))


def _not_background(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Voxels that are not what all corners of the image are (an offset after re-referencing), or not zero."""
    corners = values[np.ix_((0, -1), (0, -1), (0, -1))]
    background = corners[0, 0, 0] if (corners == corners[0, 0, 0]).all() else 0
    return np.asarray(values != background)


def _check_unit(path: Path, values_ppm: NDArray[Any], unit: str) -> None:
    typical = float(np.quantile(np.abs(values_ppm), 0.9))
    if typical > _LARGEST_TYPICAL_PPM or float(np.abs(values_ppm).max()) > _LARGEST_PPM * 10:
        raise MetadataError(
            f"susceptibility map {path} would reach {typical:.3g} ppm in its brain if it were in {unit}; is it in "
            f"{'ppb' if unit == 'ppm' else 'another unit'}?"
        )
    if typical < _SMALLEST_TYPICAL_PPM:
        raise MetadataError(
            f"susceptibility map {path} would stay below {typical * PPB_PER_PPM:.3g} ppb in its brain if it were in "
            f"{unit}; is it in {'ppm' if unit == 'ppb' else 'another unit'}?"
        )


def _sign_note(
    path: Path, values: NDArray[Any], inside: NDArray[np.bool_], paramagnetic: NDArray[np.bool_] | None
) -> str:
    if paramagnetic is None or not (paramagnetic & inside).any():
        return "the sign was not checked: no paramagnetic region (deep grey nuclei, veins) is known"
    rest = values[inside & ~paramagnetic]
    spread = float(np.std(rest)) or 1.0
    contrast = (float(np.median(values[paramagnetic & inside])) - float(np.median(rest))) / spread
    if contrast < -_CONCLUSIVE:
        raise MetadataError(
            f"susceptibility map {path} is negative where iron is ({contrast:+.1f} sd); "
            "it has the opposite sign: negate it"
        )
    if contrast < _CONCLUSIVE:
        return f"the sign could not be told ({contrast:+.1f} sd between iron-rich tissue and the rest)"
    return f"the sign is confirmed: iron-rich tissue lies {contrast:+.1f} sd above the rest"
