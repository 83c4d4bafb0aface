"""One DICOM file in the survey of a folder: what it is, where it belongs, whether it is whole."""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm.io.dicom.decode import numbers, signed, text, unsigned, whole, whole_or
from napari_msqsm.io.dicom.elements import (
    DamagedError,
    Elements,
    OtherEncodingError,
    read_elements,
)
from napari_msqsm.io.dicom.parts import part_of

if TYPE_CHECKING:
    from napari_msqsm.io.dicom.layout import Layout
    from napari_msqsm.io.dicom.series import ImagePart

_IMAGE_TYPE, _SOP_CLASS, _SOP_UID = 0x00080008, 0x00080016, 0x00080018
_DATE, _DATETIME, _TIME, _MODALITY = 0x00080022, 0x0008002A, 0x00080032, 0x00080060
_MANUFACTURER, _COMPONENT, _PATIENT = 0x00080070, 0x00089208, 0x00100020
_ECHO_TIME = 0x00180081
_STUDY_UID, _SERIES_UID, _SERIES_NUMBER, _ACQUISITION, _INSTANCE = (
    0x0020000D,
    0x0020000E,
    0x00200011,
    0x00200012,
    0x00200013,
)
_POSITION, _ORIENTATION, _TIME_POINT, _IMAGES = 0x00200032, 0x00200037, 0x00200100, 0x00201002
_SAMPLES, _FRAMES, _ROWS, _COLUMNS, _BITS = 0x00280002, 0x00280008, 0x00280010, 0x00280011, 0x00280100
_SLOPE, _INTERCEPT = 0x00281053, 0x00281052
_GE_ECHOES, _GE_SLICES, _GE_KIND = 0x0019107E, 0x0021104F, 0x0043102F
_PHILIPS_ECHOES, _PHILIPS_SLICES, _SIEMENS_COIL = 0x20011014, 0x20011018, 0x0051100F
WANTED = frozenset(
    (
        *(_IMAGE_TYPE, _SOP_CLASS, _SOP_UID, _DATE, _DATETIME, _TIME, _MODALITY, _MANUFACTURER, _COMPONENT, _PATIENT),
        *(_ECHO_TIME, _STUDY_UID, _SERIES_UID, _SERIES_NUMBER, _ACQUISITION, _INSTANCE),
        *(_POSITION, _ORIENTATION, _TIME_POINT, _IMAGES),
        *(_SAMPLES, _FRAMES, _ROWS, _COLUMNS, _BITS, _SLOPE, _INTERCEPT),
        *(_GE_ECHOES, _GE_SLICES, _GE_KIND, _PHILIPS_ECHOES, _PHILIPS_SLICES, _SIEMENS_COIL),
    )
)

_ENHANCED = ("1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.4.4")
"""Enhanced MR, and classic images that a tool put into one such file."""
_MR_IMAGES = ("1.2.840.10008.5.1.4.1.1.4", *_ENHANCED)
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

    @property
    def content(self) -> tuple[object, ...]:
        """What two copies of one image have in common."""
        return (self.image_type, self.part, self.echo_time_ms, self.position, self.instance_number, self.frames)


def read_instance(path: str, layout: Layout | None = None) -> Instance:
    """Read one file; ``layout`` is that of the file before, which makes the reading of similar files faster.

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
            found = read_elements(stream, size, WANTED, layout)
        except OtherEncodingError:
            from napari_msqsm.io.dicom.header import elements_by_pydicom

            return _instance(path, elements_by_pydicom(path, WANTED))
        instance = _instance(path, found)
        _check_pixels(stream, size, found, instance)
    return instance


def _instance(path: str, found: Elements) -> Instance:
    values = found.values
    sop_class = text(values.get(_SOP_CLASS))
    if found.pixel_offset is None:
        if sop_class and sop_class not in _MR_IMAGES:
            raise NoImageError
        raise DamagedError("it ends before its pixels")
    series_uid = text(values.get(_SERIES_UID))
    if not series_uid:
        raise DamagedError("its header does not say which series it belongs to")
    try:
        enhanced = sop_class in _ENHANCED
        position = None if enhanced else numbers(values.get(_POSITION), 3)
        orientation = None if enhanced else numbers(values.get(_ORIENTATION), 6)
        echo_time = numbers(values.get(_ECHO_TIME), 1)
        rows, columns = unsigned(values.get(_ROWS), 0), unsigned(values.get(_COLUMNS), 0)
        frames = whole(values.get(_FRAMES), 1)
    except (ValueError, struct.error):
        raise DamagedError("its header holds letters or nothing where numbers are due") from None
    if rows == 0 or columns == 0:
        raise DamagedError("its header does not say how many rows and columns it has")
    if frames < 1:
        raise DamagedError(f"it has {frames} frames by its header")
    manufacturer = text(values.get(_MANUFACTURER))
    image_type = text(values.get(_IMAGE_TYPE))
    kind = values.get(_GE_KIND) if manufacturer.upper().startswith("GE") else None
    date = text(values.get(_DATE))
    acquired = text(values.get(_DATETIME)) or (date + text(values.get(_TIME)) if date else "")
    return Instance(
        path=path,
        sop_uid=text(values.get(_SOP_UID)) or path,
        study_uid=text(values.get(_STUDY_UID)),
        series_uid=series_uid,
        patient=text(values.get(_PATIENT)),
        modality=text(values.get(_MODALITY)),
        manufacturer=manufacturer,
        series_number=whole_or(values.get(_SERIES_NUMBER), 0),
        instance_number=whole_or(values.get(_INSTANCE), 0),
        acquisition=whole_or(values.get(_ACQUISITION), 0),
        time_point=whole_or(values.get(_TIME_POINT), 0),
        image_type=image_type,
        part=part_of(text(values.get(_COMPONENT)), image_type, signed(kind)),
        echo_time_ms=None if echo_time is None else echo_time[0],
        position=position,
        orientation=orientation,
        pixels=(rows, columns),
        samples=unsigned(values.get(_SAMPLES), 1),
        frames=frames,
        compressed=found.pixel_bytes is None,
        coil=text(values.get(_SIEMENS_COIL)),
        rescale=(text(values.get(_SLOPE)), text(values.get(_INTERCEPT))),
        acquired=acquired,
        enhanced=enhanced,
        images_expected=whole_or(values.get(_IMAGES), 0),
        slices_expected=signed(values.get(_GE_SLICES)) or signed(values.get(_PHILIPS_SLICES)) or 0,
        echoes_expected=signed(values.get(_GE_ECHOES)) or signed(values.get(_PHILIPS_ECHOES)) or 0,
    )


def _check_pixels(stream: io.FileIO, size: int, found: Elements, instance: Instance) -> None:
    """Refuse a file whose pixels are not all there."""
    assert found.pixel_offset is not None
    if found.pixel_bytes is None:
        _check_fragments(stream, size, found.pixel_offset)
        return
    if instance.samples == 0:
        raise DamagedError("its header gives it no samples per pixel")
    bits = unsigned(found.values.get(_BITS), 16)
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
