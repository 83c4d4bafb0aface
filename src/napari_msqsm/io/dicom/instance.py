"""One DICOM file in the survey of a folder: what it is, where it belongs, whether it is whole."""

from __future__ import annotations

import functools
import io
import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm.io.dicom.elements import (
    DamagedError,
    Elements,
    OtherEncodingError,
    read_elements,
)

if TYPE_CHECKING:
    from napari_msqsm.io.dicom.series import ImagePart

_IMAGE_TYPE, _SOP_CLASS, _SOP_UID = 0x00080008, 0x00080016, 0x00080018
_DATE, _DATETIME, _TIME, _MODALITY = 0x00080022, 0x0008002A, 0x00080032, 0x00080060
_MANUFACTURER, _COMPONENT, _PATIENT = 0x00080070, 0x00089208, 0x00100020
_ECHO_TIME, _ECHO_NUMBER = 0x00180081, 0x00180086
_STUDY_UID, _SERIES_UID, _SERIES_NUMBER, _ACQUISITION, _INSTANCE = (
    0x0020000D,
    0x0020000E,
    0x00200011,
    0x00200012,
    0x00200013,
)
_POSITION, _ORIENTATION, _TIME_POINT, _TIME_POINTS, _IMAGES = 0x00200032, 0x00200037, 0x00200100, 0x00200105, 0x00201002
_SAMPLES, _FRAMES, _ROWS, _COLUMNS, _BITS = 0x00280002, 0x00280008, 0x00280010, 0x00280011, 0x00280100
_SLOPE, _INTERCEPT = 0x00281053, 0x00281052
_GE_ECHOES, _GE_SLICES, _GE_KIND = 0x0019107E, 0x0021104F, 0x0043102F
_PHILIPS_ECHOES, _PHILIPS_SLICES, _SIEMENS_COIL = 0x20011014, 0x20011018, 0x0051100F
WANTED = frozenset(
    (
        *(_IMAGE_TYPE, _SOP_CLASS, _SOP_UID, _DATE, _DATETIME, _TIME, _MODALITY, _MANUFACTURER, _COMPONENT, _PATIENT),
        *(_ECHO_TIME, _ECHO_NUMBER, _STUDY_UID, _SERIES_UID, _SERIES_NUMBER, _ACQUISITION, _INSTANCE),
        *(_POSITION, _ORIENTATION, _TIME_POINT, _TIME_POINTS, _IMAGES),
        *(_SAMPLES, _FRAMES, _ROWS, _COLUMNS, _BITS, _SLOPE, _INTERCEPT),
        *(_GE_ECHOES, _GE_SLICES, _GE_KIND, _PHILIPS_ECHOES, _PHILIPS_SLICES, _SIEMENS_COIL),
    )
)

_ENHANCED = ("1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.4.4")
"""Enhanced MR, and classic images that a tool put into one such file."""
_MR_IMAGES = ("1.2.840.10008.5.1.4.1.1.4", *_ENHANCED)
_PARTS: dict[str, ImagePart] = {
    "M": "mag",
    "MAGNITUDE": "mag",
    "P": "phase",
    "PHASE": "phase",
    "PHASE MAP": "phase",
    "R": "real",
    "REAL": "real",
    "I": "imag",
    "IMAGINARY": "imag",
    "B0 MAP": "field",
    "FIELDMAPHZ": "field",
}
_GE_PARTS: tuple[ImagePart, ...] = ("mag", "phase", "real", "imag")
_SHORT, _SIGNED, _LONG = struct.Struct("<H"), struct.Struct("<h"), struct.Struct("<i")
_ITEM_HEAD = struct.Struct("<HHI")


class NoImageError(Exception):
    """The file is sound DICOM but holds no image."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One file.

    ``position`` and ``orientation`` are in LPS mm; None in enhanced files, whose frames have their own. ``pixels`` are
    (rows, columns); ``images_expected``, ``slices_expected`` and ``echoes_expected`` are what the scanner says that it
    made, 0 where it does not say. ``acquired`` is date and time as far as known, to be compared as text.
    """

    path: str
    sop_uid: str
    study_uid: str
    series_uid: str
    patient: str
    modality: str
    manufacturer: str
    series_number: int
    instance_number: int
    acquisition: int
    time_point: int
    image_type: str
    part: ImagePart
    echo_time_ms: float | None
    echo_number: int
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    pixels: tuple[int, int]
    samples: int
    frames: int
    compressed: bool
    coil: str
    rescale: tuple[str, str]
    acquired: str
    enhanced: bool
    images_expected: int
    slices_expected: int
    echoes_expected: int
    time_points_expected: int

    @property
    def content(self) -> tuple[object, ...]:
        """What two copies of one image have in common."""
        return (self.image_type, self.part, self.echo_time_ms, self.position, self.instance_number, self.frames)


def read_instance(path: str) -> Instance:
    """Read one file.

    Raises
    ------
    NotDicomError, NoImageError, DamagedError
        See there.
    OSError
        When it cannot be opened.
    """
    with io.FileIO(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        try:
            found = read_elements(stream, size, WANTED)
        except OtherEncodingError:
            from napari_msqsm.io.dicom.header import elements_by_pydicom

            return _instance(path, elements_by_pydicom(path, WANTED))
        instance = _instance(path, found)
        _check_pixels(stream, size, found, instance)
    return instance


def part_of(component: str, image_type: str, ge_kind: int | None = None) -> ImagePart:
    """Part of the complex signal, from what a header says.

    Parameters
    ----------
    component
        ComplexImageComponent.
    image_type
        ImageType, words separated by backslashes.
    ge_kind
        GE's private element (0043,102F): 0, 1, 2, 3 for magnitude, phase, real, imaginary.
    """
    if ge_kind is not None and 0 <= ge_kind < len(_GE_PARTS):
        if ge_kind or "FIELDMAPHZ" not in image_type:
            return _GE_PARTS[ge_kind]
        return "field"
    words = image_type.upper().split("\\")[2:]
    for word in words:
        if _PARTS.get(word) == "field":
            return "field"
    if component.upper() in _PARTS:
        return _PARTS[component.upper()]
    for word in words:
        if word in _PARTS:
            return _PARTS[word]
    return "mag"


def _instance(path: str, found: Elements) -> Instance:
    values = found.values
    sop_class = _text(values.get(_SOP_CLASS))
    if found.pixel_offset is None:
        if sop_class and sop_class not in _MR_IMAGES:
            raise NoImageError
        raise DamagedError("it ends before its pixels")
    series_uid = _text(values.get(_SERIES_UID))
    if not series_uid:
        raise DamagedError("its header does not say which series it belongs to")
    try:
        enhanced = sop_class in _ENHANCED
        position = None if enhanced else _numbers(values.get(_POSITION), 3)
        orientation = None if enhanced else _numbers(values.get(_ORIENTATION), 6)
        echo_time = _numbers(values.get(_ECHO_TIME), 1)
        rows, columns = _unsigned(values.get(_ROWS), 0), _unsigned(values.get(_COLUMNS), 0)
        frames = _whole(values.get(_FRAMES), 1)
    except (ValueError, struct.error):
        raise DamagedError("its header holds letters or nothing where numbers are due") from None
    if rows == 0 or columns == 0:
        raise DamagedError("its header does not say how many rows and columns it has")
    if frames < 1:
        raise DamagedError(f"it has {frames} frames by its header")
    manufacturer = _text(values.get(_MANUFACTURER))
    image_type = _text(values.get(_IMAGE_TYPE))
    kind = values.get(_GE_KIND) if manufacturer.upper().startswith("GE") else None
    date = _text(values.get(_DATE))
    acquired = _text(values.get(_DATETIME)) or (date + _text(values.get(_TIME)) if date else "")
    return Instance(
        path=path,
        sop_uid=_text(values.get(_SOP_UID)) or path,
        study_uid=_text(values.get(_STUDY_UID)),
        series_uid=series_uid,
        patient=_text(values.get(_PATIENT)),
        modality=_text(values.get(_MODALITY)),
        manufacturer=manufacturer,
        series_number=_whole_or(values.get(_SERIES_NUMBER), 0),
        instance_number=_whole_or(values.get(_INSTANCE), 0),
        acquisition=_whole_or(values.get(_ACQUISITION), 0),
        time_point=_whole_or(values.get(_TIME_POINT), 0),
        image_type=image_type,
        part=part_of(_text(values.get(_COMPONENT)), image_type, _signed(kind)),
        echo_time_ms=None if echo_time is None else echo_time[0],
        echo_number=_whole_or(values.get(_ECHO_NUMBER), 0),
        position=position,
        orientation=orientation,
        pixels=(rows, columns),
        samples=_unsigned(values.get(_SAMPLES), 1),
        frames=frames,
        compressed=found.pixel_bytes is None,
        coil=_text(values.get(_SIEMENS_COIL)),
        rescale=(_text(values.get(_SLOPE)), _text(values.get(_INTERCEPT))),
        acquired=acquired,
        enhanced=enhanced,
        images_expected=_whole_or(values.get(_IMAGES), 0),
        slices_expected=_signed(values.get(_GE_SLICES)) or _signed(values.get(_PHILIPS_SLICES)) or 0,
        echoes_expected=_signed(values.get(_GE_ECHOES)) or _signed(values.get(_PHILIPS_ECHOES)) or 0,
        time_points_expected=_whole_or(values.get(_TIME_POINTS), 0),
    )


def _check_pixels(stream: io.FileIO, size: int, found: Elements, instance: Instance) -> None:
    """Refuse a file whose pixels are not all there."""
    assert found.pixel_offset is not None
    if found.pixel_bytes is None:
        _check_fragments(stream, size, found.pixel_offset)
        return
    if instance.samples == 0:
        raise DamagedError("its header gives it no samples per pixel")
    bits = _unsigned(found.values.get(_BITS), 16)
    rows, columns = instance.pixels
    needed = (rows * columns * instance.samples * instance.frames * bits + 7) // 8
    there = min(found.pixel_bytes, size - found.pixel_offset)
    if there < needed:
        raise DamagedError(f"it ends early: {max(there, 0)} of {needed} bytes of its pixels are there")


def _check_fragments(stream: io.FileIO, size: int, offset: int) -> None:
    """Step over the fragments of compressed pixels to their end mark."""
    while offset + 8 <= size:
        stream.seek(offset)
        head = stream.read(8)
        if len(head) < 8:
            break
        group, element, length = _ITEM_HEAD.unpack(head)
        if (group, element) == (0xFFFE, 0xE0DD):
            return
        if (group, element) != (0xFFFE, 0xE000):
            raise DamagedError("its compressed pixels are damaged")
        offset += 8 + length
    raise DamagedError("it ends early, in the middle of its compressed pixels")


@functools.lru_cache(maxsize=1024)
def _text(value: bytes | None) -> str:
    """Decode a value; most are the same in all files of a series."""
    return "" if value is None else value.decode("latin-1").strip(" \0")


@functools.lru_cache(maxsize=1024)
def _numbers(value: bytes | None, count: int) -> tuple[float, ...] | None:
    text = _text(value)
    if not text:
        return None
    numbers = tuple(float(word) for word in text.split("\\"))
    if len(numbers) < count or any(number != number or abs(number) > 1e6 for number in numbers):
        raise ValueError(text)
    return numbers[:count]


def _whole(value: bytes | None, default: int) -> int:
    text = _text(value)
    return int(text) if text else default


def _whole_or(value: bytes | None, default: int) -> int:
    try:
        return _whole(value, default)
    except ValueError:
        return default


def _unsigned(value: bytes | None, default: int) -> int:
    return _SHORT.unpack_from(value)[0] if value is not None and len(value) >= 2 else default


def _signed(value: bytes | None) -> int | None:
    """Read a private number: 2 or 4 bytes, or text."""
    if value is None:
        return None
    if len(value) == 4:
        return int(_LONG.unpack(value)[0])
    if len(value) == 2:
        return int(_SIGNED.unpack(value)[0])
    return _whole_or(value, 0) or None
