"""Phase images: the NIfTI header's scaling is set so that stored integers mean radians; no voxel is touched.

What a stored value means, in this order: a real-world mapping to radians (enhanced images); a rescale whose type is
milliradians or radians; the vendor's standard range (`io.phase`), compared with what the header's bits and rescale can
express, or with the values themselves where the bits say nothing.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

from napari_msqsm.io.dicom.frames import frame_value
from napari_msqsm.io.phase import PhaseScale, standard_scale, vendor_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

_MILLIRADIANS = {"MILLIRADIALS", "MILLIRADIANS", "MRAD", "MILLIRADIAN"}
_RADIANS = {"RAD", "RADIANS", "RADIAN"}
_MOST_BITS = 12
"""With more bits than this the range that they can express says nothing of the range of the phase."""
_SLOPE_AT, _NIFTI_HEADER_BYTES = 112, 348


@dataclass(frozen=True)
class StoredValues:
    """What a DICOM header says of stored values v: v · slope + intercept, in the unit ``kind``.

    ``radians`` are slope and intercept of a real-world mapping to radians.
    """

    slope: float = 1.0
    intercept: float = 0.0
    kind: str = ""
    bits: int = 16
    signed: bool = False
    radians: tuple[float, float] | None = None

    @property
    def nominal(self) -> tuple[float, float] | None:
        """Least and greatest value that the bits can express, after the rescale; None where they are too many."""
        if self.bits > _MOST_BITS:
            return None
        low, high = (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1) if self.signed else (0, (1 << self.bits) - 1)
        ends = (low * self.slope + self.intercept, high * self.slope + self.intercept)
        return min(ends), max(ends)


def stored_values(dataset: Dataset, frame: int = 0) -> StoredValues:
    """Read them from a header; ``frame`` is that of an enhanced file."""
    enhanced = "PerFrameFunctionalGroupsSequence" in dataset

    def value(keyword: str) -> Any:
        if enhanced:
            found = frame_value(dataset, frame, "PixelValueTransformationSequence", keyword)
            if found is not None:
                return found
        return dataset.get(keyword)

    return StoredValues(
        slope=_number(value("RescaleSlope"), 1.0),
        intercept=_number(value("RescaleIntercept"), 0.0),
        kind=str(value("RescaleType") or ""),
        bits=int(_number(dataset.get("BitsStored"), 16)),
        signed=bool(_number(dataset.get("PixelRepresentation"), 0)),
        radians=_real_world(dataset, frame),
    )


def set_radians(paths: Sequence[Path], stored: Sequence[StoredValues], manufacturer: str) -> tuple[bool, str]:
    """Write the scaling of all phase images of a series.

    Parameters
    ----------
    paths
        Uncompressed NIfTI files that hold the integers of the DICOM files.
    stored
        What the header of each says.
    manufacturer
        As in the header.

    Returns
    -------
    tuple
        Whether values mean radians now, and what was assumed; where they do not, why.
    """
    images = [nib.nifti1.Nifti1Image.from_filename(path) for path in paths]
    values = [_values_of(image, own) for image, own in zip(images, stored, strict=True)]
    if vendor_of(manufacturer) == "philips" and any(array.dtype.kind == "f" for array, _ in values):
        return False, "the header scales its slices differently, and in which unit they come out is not known"
    low = min(np.min(array) * own.slope + own.intercept for array, own in values)
    high = max(np.max(array) * own.slope + own.intercept for array, own in values)
    if low == high:
        return False, "the phase is the same everywhere"
    scalings, assumption = [], ""
    for _, own in values:
        scaling, text = _to_radians(own, manufacturer, float(low), float(high))
        if scaling is None:
            return False, text
        scalings.append(scaling)
        assumption = assumption or text
    for path, scaling in zip(paths, scalings, strict=True):
        _write_scaling(path, *scaling)
    return True, assumption


def _to_radians(
    own: StoredValues, manufacturer: str, low: float, high: float
) -> tuple[tuple[float, float] | None, str]:
    """Slope and intercept from stored values to radians, and the assumption behind it."""
    if own.radians is not None:
        return own.radians, ""
    kind = own.kind.strip().upper()
    if kind in _MILLIRADIANS:
        return (own.slope / 1e3, own.intercept / 1e3), ""
    if kind in _RADIANS:
        return (own.slope, own.intercept), ""
    scale: PhaseScale | None = None
    nominal = own.nominal
    if nominal is not None and nominal[0] <= low and high <= nominal[1]:
        scale = standard_scale(manufacturer, *nominal)
    if scale is None:
        scale = standard_scale(manufacturer, low, high)
    if scale is None:
        return None, (
            f"nothing says which phase values mean −π and +π (they reach from {low:g} to {high:g}); "
            "give --phase-range LOW HIGH when it is reconstructed"
        )
    radians = 2.0 * math.pi / (scale.high - scale.low)
    return (own.slope * radians, (own.intercept - scale.low) * radians - math.pi), scale.assumption


def _values_of(image: Any, own: StoredValues) -> tuple[np.ndarray[Any, Any], StoredValues]:
    """Values of the file, and what they mean: integers are the stored ones.

    Slices whose header scales them differently come as floating-point numbers, which the NIfTI header scales to what
    the DICOM headers mean; Philips' come by its precise scaling instead.
    """
    array = np.asanyarray(image.dataobj.get_unscaled())
    if array.dtype.kind in "iu":
        return array, own
    return array, StoredValues(float(image.dataobj.slope), float(image.dataobj.inter), own.kind)


def _write_scaling(path: Path, slope: float, intercept: float) -> None:
    with path.open("rb+") as stream:
        size = stream.read(4)
        order = "<" if struct.unpack("<i", size)[0] == _NIFTI_HEADER_BYTES else ">"
        stream.seek(_SLOPE_AT)
        stream.write(struct.pack(f"{order}2f", slope, intercept))


def _real_world(dataset: Dataset, frame: int) -> tuple[float, float] | None:
    mapping = dataset.get("RealWorldValueMappingSequence")
    items = [mapping[0]] if mapping else []
    units = [item.get("MeasurementUnitsCodeSequence") for item in items]
    if not items:
        slope = frame_value(dataset, frame, "RealWorldValueMappingSequence", "RealWorldValueSlope")
        intercept = frame_value(dataset, frame, "RealWorldValueMappingSequence", "RealWorldValueIntercept")
        units = [frame_value(dataset, frame, "RealWorldValueMappingSequence", "MeasurementUnitsCodeSequence")]
    else:
        slope, intercept = items[0].get("RealWorldValueSlope"), items[0].get("RealWorldValueIntercept")
    unit = str(units[0][0].get("CodeValue", "")).upper() if units[0] else ""
    per_radian = 1e3 if unit in _MILLIRADIANS else 1.0
    if slope is None or intercept is None or unit not in _MILLIRADIANS | _RADIANS:
        return None
    return float(slope) / per_radian, float(intercept) / per_radian


def _number(value: Any, default: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return default
    return number if math.isfinite(number) else default
