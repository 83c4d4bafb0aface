"""Susceptibility maps that another program made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_msqsm.errors import InputError, MetadataError, ShapeMismatchError
from napari_msqsm.io.nifti import Volume, load_volume
from napari_msqsm.units import PPB_PER_PPM

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid

Unit = Literal["ppm", "ppb"]

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
    unit: Unit | None,
    mask: NDArray[np.bool_] | None = None,
    reference_mask: NDArray[np.bool_] | None = None,
    paramagnetic_mask: NDArray[np.bool_] | None = None,
) -> SusceptibilityMap:
    """Read a map of a declared unit, or tell its unit from its values.

    Parameters
    ----------
    path
        NIfTI file.
    unit
        Unit of its values; told from their size when None.
    mask
        (X, Y, Z) voxels that have a value; those that differ from the constant background when not given.
    reference_mask
        (X, Y, Z) region whose mean becomes zero.
    paramagnetic_mask
        (X, Y, Z) region known to be paramagnetic (deep grey nuclei, veins); tells the sign.

    Raises
    ------
    MetadataError
        When the unit cannot be right or cannot be told, or the sign is wrong.
    ShapeMismatchError
        When a mask has another shape.
    """
    volume = load_volume(path, what="susceptibility map", allow_nan=True)
    return susceptibility_of(
        volume,
        name=str(path),
        unit=unit,
        mask=mask,
        reference_mask=reference_mask,
        paramagnetic_mask=paramagnetic_mask,
    )


def susceptibility_of(
    volume: Volume,
    *,
    name: str,
    unit: Unit | None,
    mask: NDArray[np.bool_] | None = None,
    reference_mask: NDArray[np.bool_] | None = None,
    paramagnetic_mask: NDArray[np.bool_] | None = None,
) -> SusceptibilityMap:
    """Check values that were read already; see `load_susceptibility`. ``name`` is the file's, for messages."""
    for what, region in (("mask", mask), ("reference", reference_mask), ("paramagnetic mask", paramagnetic_mask)):
        if region is not None and region.shape != volume.array.shape:
            raise ShapeMismatchError(
                f"{what} has shape {region.shape} but the susceptibility map {name} has {volume.array.shape}; "
                "resample it"
            )
    inside = np.isfinite(volume.array) & (_not_background(volume.array) if mask is None else mask)
    if not inside.any():
        raise InputError(f"susceptibility map {name} is zero everywhere")
    notes = list(volume.assumptions)
    if unit is None:
        unit, reason = probable_unit(volume.array[inside], name=name)
        notes.append(reason)
    values = np.nan_to_num(volume.array, nan=0.0, posinf=0.0, neginf=0.0) / np.float32(
        PPB_PER_PPM if unit == "ppb" else 1.0
    )
    _check_unit(name, values[inside], unit)
    notes.append(_sign_note(name, values, inside, paramagnetic_mask))
    if reference_mask is not None:
        region = reference_mask & inside
        if not region.any():
            raise InputError(f"the reference region does not overlap the susceptibility map {name}")
        shift = float(values[region].mean(dtype=np.float64))
        values = values - np.float32(shift)
        notes.append(f"re-referenced: {PPB_PER_PPM * shift:+.1f} ppb were subtracted")
    else:
        notes.append("the reference of the map is the one its program chose")
    chi = np.where(inside, values, np.float32(0)).astype(np.float32)
    return SusceptibilityMap(chi, inside, volume.grid, tuple(notes))


def probable_unit(values: NDArray[Any], *, name: str) -> tuple[Unit, str]:
    """Tell the unit from the size that nine of ten values of a brain stay below: some hundredths of a ppm.

    Parameters
    ----------
    values
        (voxel,) values inside the brain.
    name
        Of the file, for messages.

    Returns
    -------
    tuple
        The unit, and the sentence that says why.

    Raises
    ------
    MetadataError
        When they are in neither unit.
    """
    typical = float(np.quantile(np.abs(values), 0.9))
    units: tuple[tuple[Unit, float], ...] = (("ppm", 1.0), ("ppb", PPB_PER_PPM))
    for unit, one_ppm in units:
        if _SMALLEST_TYPICAL_PPM * one_ppm <= typical <= _LARGEST_TYPICAL_PPM * one_ppm:
            return unit, f"the unit is taken as {unit}: nine of ten voxels lie within ±{typical:.3g}"
    raise MetadataError(
        f"susceptibility map {name} is neither in ppm nor in ppb (nine of ten voxels lie within ±{typical:.3g}); "
        "is it a field in Hz or rad, or a map without unit? Scale it to ppm"
    )


def _not_background(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Voxels that are not what all corners of the image are (an offset after re-referencing), or not zero."""
    corners = values[np.ix_((0, -1), (0, -1), (0, -1))]
    background = corners[0, 0, 0] if (corners == corners[0, 0, 0]).all() else 0
    return np.asarray(values != background)


def _check_unit(name: str, values_ppm: NDArray[Any], unit: str) -> None:
    typical = float(np.quantile(np.abs(values_ppm), 0.9))
    if typical > _LARGEST_TYPICAL_PPM or float(np.abs(values_ppm).max()) > _LARGEST_PPM * 10:
        raise MetadataError(
            f"susceptibility map {name} would reach {typical:.3g} ppm in its brain if it were in {unit}; is it in "
            f"{'ppb' if unit == 'ppm' else 'another unit'}?"
        )
    if typical < _SMALLEST_TYPICAL_PPM:
        raise MetadataError(
            f"susceptibility map {name} would stay below {typical * PPB_PER_PPM:.3g} ppb in its brain if it were in "
            f"{unit}; is it in {'ppm' if unit == 'ppb' else 'another unit'}?"
        )


def _sign_note(
    name: str, values: NDArray[Any], inside: NDArray[np.bool_], paramagnetic: NDArray[np.bool_] | None
) -> str:
    if paramagnetic is None or not (paramagnetic & inside).any():
        return "the sign was not checked: no paramagnetic region (deep grey nuclei, veins) is known"
    rest = values[inside & ~paramagnetic]
    spread = float(np.std(rest)) or 1.0
    contrast = (float(np.median(values[paramagnetic & inside])) - float(np.median(rest))) / spread
    if contrast < -_CONCLUSIVE:
        raise MetadataError(
            f"susceptibility map {name} is negative where iron is ({contrast:+.1f} sd); "
            "it has the opposite sign: negate it"
        )
    if contrast < _CONCLUSIVE:
        return f"the sign could not be told ({contrast:+.1f} sd between iron-rich tissue and the rest)"
    return f"the sign is confirmed: iron-rich tissue lies {contrast:+.1f} sd above the rest"
