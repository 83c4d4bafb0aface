"""Stored phase values → radians, and the sign in which a scanner stores them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_msqsm.errors import MetadataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_msqsm.io.nifti import RawImage

_TOLERANCE = 0.01
"""Part of a range by which values may exceed it (rounding, resampling)."""
_LEAST_RADIANS = 0.1
_MOST_RADIANS = 1000.0
"""Unwrapped phase stays below: 160 turns are 3 kHz at 50 ms."""
_LEAST_SPAN = 0.5
"""A phase image that fills less than this part of ±π cannot be told from one in another unit."""

PHASE_SIGN_OF_VENDOR: dict[str, Literal[1, -1]] = {
    "siemens": 1,
    "philips": 1,
    "ge": -1,
    "uih": -1,
}
"""Whether stored phase grows (+1) or falls (−1) with echo time where the field is higher.

The DICOM readers of Cornell's MEDI toolbox, which wants exp(−i·2π·f·TE), conjugate Siemens and Philips data and take
those of GE and United Imaging (UIH) as they are. Nothing reliable is known to us of other vendors. The QSM consensus
paper (doi 10.1002/mrm.30006) asks to check the sign on the data, which is done after loading.
"""

_NAMES_OF_VENDOR = {
    "siemens": "siemens",
    "philips": "philips",
    "ge": "ge|general electric",
    "uih": "uih|united imaging",
}


@dataclass(frozen=True)
class PhaseScale:
    """Stored values that mean −π and +π, and how that is known.

    ``assumption`` is empty where nothing was assumed.
    """

    low: float
    high: float
    assumption: str = ""

    def to_radians(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        """Radians of stored values."""
        scale = 2.0 * math.pi / (self.high - self.low)
        return np.asarray((stored - np.float32(self.low)) * np.float32(scale) - np.float32(math.pi), dtype=np.float32)


_RADIANS = PhaseScale(-math.pi, math.pi)
"""Values that are radians already, whichever turn they lie in."""


def vendor_of(manufacturer: str) -> str:
    """Key of a manufacturer's name in `PHASE_SIGN_OF_VENDOR`, empty when it is not known."""
    for vendor, names in _NAMES_OF_VENDOR.items():
        if re.search(rf"(?<![a-z])({names})(?![a-z])", manufacturer.lower()):
            return vendor
    return ""


def phase_scale(
    images: Sequence[RawImage],
    *,
    names: Sequence[str],
    phase_range: tuple[float, float] | None,
    units: str,
    manufacturer: str,
) -> PhaseScale:
    """How the phase of a series is stored, the same for all its images.

    In this order: the declared range, ``Units`` of the sidecar, a header scaling or floating-point values that give
    radians, the vendor's standard range. Never the data's own extremes.

    Parameters
    ----------
    images, names
        All phase images and their file names.
    phase_range
        Stored values that mean −π and +π, where declared.
    units
        ``Units`` of the sidecar, or empty.
    manufacturer
        ``Manufacturer`` of the sidecar, or empty.

    Raises
    ------
    MetadataError
        When the scale is unknown or the values do not fit the declared range.
    """
    finite = [image.array[np.isfinite(image.array)] for image in images]
    low = min(float(values.min()) for values in finite)
    high = max(float(values.max()) for values in finite)
    found = f"{names[0]} holds values from {low:g} to {high:g}"
    if low == high:
        raise MetadataError(f"{found}: the phase is the same everywhere; give the phase images of the scanner")
    if phase_range is not None:
        return _declared(phase_range, low, high, found)
    if units.strip().lower() in {"rad", "radian", "radians"}:
        if high - low < _LEAST_RADIANS or max(-low, high) > _MOST_RADIANS:
            amount = "little" if high - low < _LEAST_RADIANS else "much"
            raise MetadataError(f"{found}, too {amount} for the radians of its sidecar; pass --phase-range LOW HIGH")
        return _RADIANS
    scaled = any(image.slope != 1.0 or image.intercept != 0.0 for image in images)
    stored_as_integer = all(image.stored_as_integer for image in images)
    if (scaled or not stored_as_integer) and _look_like_radians(low, high):
        return _RADIANS
    standard = standard_scale(manufacturer, low, high)
    if standard is not None:
        return standard
    raise MetadataError(
        f"{found}, and nothing says which values mean −π and +π; pass --phase-range LOW HIGH (such as -4096 4096)"
    )


def standard_scale(manufacturer: str, low: float, high: float) -> PhaseScale | None:
    """Scale of phase values that reach from ``low`` to ``high`` by the vendor's standard; None where there is none."""
    standard = _standard_range(vendor_of(manufacturer), low, high)
    if standard is None:
        return None
    values = f"{standard[0]:g} … {standard[1]:g}"
    text = f"phase: the standard range of {manufacturer.strip()}, {values}, is taken as −π … π"
    return PhaseScale(*standard, assumption=text)


def _declared(phase_range: tuple[float, float], low: float, high: float, found: str) -> PhaseScale:
    first, last = float(phase_range[0]), float(phase_range[1])
    if not (math.isfinite(first) and math.isfinite(last) and first < last):
        raise MetadataError(f"--phase-range must be two increasing numbers, got {first:g} {last:g}")
    slack = _TOLERANCE * (last - first)
    if math.isclose(last - first, 2.0 * math.pi, rel_tol=_TOLERANCE) and max(-low, high) <= _MOST_RADIANS:
        return PhaseScale(first, last)  # radians may be unwrapped already
    if low < first - slack or high > last + slack:
        raise MetadataError(f"{found}, outside the phase range {first:g} … {last:g}; correct --phase-range")
    if high - low < _LEAST_SPAN * (last - first):
        share = 100 * (high - low) / (last - first)
        return PhaseScale(first, last, f"phase: its values fill {share:.2g} % of the range {first:g} … {last:g}")
    return PhaseScale(first, last)


def _look_like_radians(low: float, high: float) -> bool:
    """Whether values lie within −π … π or 0 … 2π, and fill enough of it."""
    slack = _TOLERANCE * 2.0 * math.pi
    if high - low < _LEAST_SPAN * 2.0 * math.pi:
        return False
    return any(low >= first - slack and high <= first + 2.0 * math.pi + slack for first in (-math.pi, 0.0))


def _standard_range(vendor: str, low: float, high: float) -> tuple[float, float] | None:
    """Siemens: 12 bits, or doubled and shifted as dcm2niix writes them; Philips and GE: milliradians; UIH: 12 bits."""
    milliradians = 1000.0 * math.pi
    ranges = {
        "siemens": ((-4096.0, 4096.0), (0.0, 4096.0)),
        "philips": ((-milliradians, milliradians), (0.0, 4096.0)),
        "ge": ((-milliradians, milliradians),),
        "uih": ((-2048.0, 2048.0),),
    }
    for first, last in ranges.get(vendor, ()):
        if low >= first - 1 and high <= last + 1 and high - low > _LEAST_SPAN * (last - first):
            return first, last
    return None


def alternate_slices_flipped(complex_signal: NDArray[np.complex64]) -> tuple[NDArray[np.complex64], tuple[int, ...]]:
    """Undo opposite signs of alternate slices, as in GE's real and imaginary images.

    Neighbouring slices of one echo agree in phase; where most pairs along an axis are opposed, every second slice is
    negated. Recognised from the data alone.

    Parameters
    ----------
    complex_signal
        (echo, X, Y, Z).

    Returns
    -------
    tuple
        The corrected signal, and the voxel axes (0, 1, 2) along which it was corrected.
    """
    first = complex_signal[0]
    axes = []
    for axis in range(3):
        slices = np.moveaxis(first, axis, 0)
        if slices.shape[0] < 3:
            continue
        agreement = np.einsum("kab,kab->k", slices[1:], slices[:-1].conj())
        strength = np.abs(agreement)
        opposed = agreement.real < -np.abs(agreement.imag)
        if strength.sum() > 0 and strength[opposed].sum() > 0.8 * strength.sum():
            axes.append(axis)
    out = complex_signal
    for axis in axes:
        signs = np.where(np.arange(out.shape[axis + 1]) % 2 == 0, 1.0, -1.0).astype(np.float32)
        out = out * signs.reshape([-1 if a == axis + 1 else 1 for a in range(4)])
    return out, tuple(axes)
