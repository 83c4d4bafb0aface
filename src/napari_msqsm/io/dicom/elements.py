"""The data elements of a DICOM file up to its pixels, without reading more than needed.

pydicom reads every element of a header into objects; a folder of 10,000 slices takes it ten times as long as dcm2niix
takes to convert them. This reader walks over the elements of little-endian files (DICOM PS3.5, 7), keeps the raw bytes
of the wanted ones at the top level, steps over everything else (private blocks, nested sequences) without reading it,
and stops at the pixels.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import io
    from collections.abc import Collection

    from napari_msqsm.io.dicom.layout import Layout

_CHUNK_BYTES = 16384
_UNDEFINED = 0xFFFFFFFF
_PREAMBLE_BYTES = 128
_META_GROUP = 0x0002
TRANSFER_SYNTAX = 0x00020010
PIXEL_DATA = 0x7FE00010
_PIXELS = frozenset((PIXEL_DATA, 0x7FE00008, 0x7FE00009))
_FIRST_PIXELS = min(_PIXELS)
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LONG_VR = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT_VR = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_IMPLICIT = b"1.2.840.10008.1.2"
_NOT_LITTLE_ENDIAN = (b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.1.99")
"""Big endian, and deflated: rare, read by pydicom."""
_ENDS = "it ends in the middle of its header"
_TOO_LONG = "an element of its header is longer than the file"
_EXPLICIT_HEAD = struct.Struct("<HH2sH").unpack_from
_IMPLICIT_HEAD = struct.Struct("<HHI").unpack_from
_LENGTH = struct.Struct("<I").unpack_from


class NotDicomError(Exception):
    """The file is something else."""


class DamagedError(Exception):
    """The file begins as DICOM but cannot be used; the text says why: "its header ends early"."""


class OtherEncodingError(Exception):
    """The file is DICOM in an encoding that this reader leaves to pydicom."""


@dataclass(frozen=True)
class Elements:
    """Raw values by tag (group · 65536 + element), and where the pixels are.

    ``pixel_bytes`` is their stated length; None where they are compressed (in fragments), and ``pixel_offset`` is then
    the first fragment's; both are None without pixels.
    """

    values: dict[int, bytes]
    pixel_offset: int | None
    pixel_bytes: int | None
    explicit: bool


class _Window:
    """A piece of a file that moves on."""

    def __init__(self, stream: io.FileIO, size: int) -> None:
        self.stream = stream
        self.size = size
        self.start = 0
        self.data = stream.read(_CHUNK_BYTES)

    def at(self, offset: int, length: int) -> int:
        """Make bytes available; return where they begin in `data`."""
        where = offset - self.start
        if where < 0 or where + length > len(self.data):
            self.stream.seek(offset)
            self.data = self.stream.read(max(_CHUNK_BYTES, length))
            self.start = offset
            where = 0
            if len(self.data) < length:
                raise DamagedError(_ENDS)
        return where


def read_elements(stream: io.FileIO, size: int, wanted: Collection[int], layout: Layout | None = None) -> Elements:
    """Read the wanted elements of an open file.

    Parameters
    ----------
    stream
        The file, opened without a buffer, at its begin.
    size
        Length of the file in bytes.
    wanted
        Tags at the top level of the data set.
    layout
        Of the file before, for the same wanted tags; becomes that of this one.

    Raises
    ------
    NotDicomError, DamagedError, OtherEncodingError
        See there.
    """
    window = _Window(stream, size)
    head = window.data
    if head[_PREAMBLE_BYTES : _PREAMBLE_BYTES + 4] == b"DICM":
        offset = _PREAMBLE_BYTES + 4
    elif len(head) > 8 and head[:4] in (b"\x08\x00\x00\x00", b"\x08\x00\x05\x00", b"\x08\x00\x08\x00"):
        offset = 0  # written before part 10 of the standard: no preamble, no meta information
    else:
        raise NotDicomError
    values: dict[int, bytes] = {}
    explicit = True
    if offset:
        offset, syntax = _meta(window, offset)
        if syntax in _NOT_LITTLE_ENDIAN:
            raise OtherEncodingError
        explicit = syntax != _IMPLICIT
        values[TRANSFER_SYNTAX] = syntax
    elif head[4:6] not in _SHORT_VR:
        explicit = False
    return _walk(window, offset, values, wanted, explicit, layout if explicit else None)


def _meta(window: _Window, offset: int) -> tuple[int, bytes]:
    """Step over group 0002; where the data set begins, and the transfer syntax."""
    syntax = b""
    while offset + 8 <= window.size:
        where = window.at(offset, 8)
        group, element, vr, length = _EXPLICIT_HEAD(window.data, where)
        if group != _META_GROUP:
            break
        value = offset + 8
        if vr in _LONG_VR:
            length = _LENGTH(window.data, window.at(offset, 12) + 8)[0]
            value = offset + 12
        if value + length > window.size:
            raise DamagedError(_TOO_LONG)
        if element == TRANSFER_SYNTAX & 0xFFFF:
            begin = window.at(value, length)
            syntax = window.data[begin : begin + length].rstrip(b"\0 ")
        offset = value + length
    return offset, syntax


def _walk(
    window: _Window,
    offset: int,
    values: dict[int, bytes],
    wanted: Collection[int],
    explicit: bool,
    layout: Layout | None = None,
) -> Elements:
    """Step from element to element; ``layout`` goes ahead, and learns what it did not know."""
    size, outer = window.size, explicit
    nested: list[bool] = []  # per open sequence of undefined length: whether what is around it is explicit
    data, start, reach = window.data, window.start, len(window.data) - 12
    last, heads = 0, None
    ahead = layout is not None
    while True:
        where = offset - start
        if ahead and layout is not None:
            ahead = False
            heads = layout.heads.setdefault(last, [])
            where, known = layout.follow(heads, data, where, values)
            offset, last = where + start, max(known, last)
        if where > reach:
            if offset + 8 > size:
                break
            where = window.at(offset, min(12, size - offset))
            data, start, reach = window.data, window.start, len(window.data) - 12
        if explicit:
            group, element, vr, length = _EXPLICIT_HEAD(data, where)
            value = offset + 8
            if vr not in _SHORT_VR:
                value, length = _long_head(data, where, offset, group, vr)
        else:
            group, element, length = _IMPLICIT_HEAD(data, where)
            vr, value = b"", offset + 8
        tag = group << 16 | element
        if nested or group == 0xFFFE:
            offset, explicit = _step_nested(tag, vr, value, length, nested, explicit=explicit)
            ahead = not nested
            if offset > size:
                raise DamagedError(_TOO_LONG)
            continue
        if tag <= last:
            raise DamagedError("the elements of its header are not in order")
        if tag >= _FIRST_PIXELS and tag in _PIXELS:
            return Elements(values, value, None if length == _UNDEFINED else length, outer)
        last = tag
        if length == _UNDEFINED:
            nested.append(explicit)
            explicit = explicit and vr != b"UN"
            offset, heads = value, None
            continue
        if heads is not None:
            heads.append((data[where : where + value - offset], value - offset + length, tag, tag in wanted))
        offset = value + length
        if offset > size:
            raise DamagedError(_TOO_LONG)
        if tag in wanted:
            begin = value - start
            if begin + length > len(data):
                begin = window.at(value, length)
                data, start, reach = window.data, window.start, len(window.data) - 12
            values[tag] = data[begin : begin + length]
    if nested:
        raise DamagedError(_ENDS)
    return Elements(values, None, None, outer)


def _long_head(data: bytes, where: int, offset: int, group: int, vr: bytes) -> tuple[int, int]:
    """Where the value of an element with a length of four bytes begins, and that length."""
    if group == 0xFFFE:
        return offset + 8, _LENGTH(data, where + 4)[0]
    if vr not in _LONG_VR:
        raise DamagedError("an element of its header is of no known type")
    if where + 12 > len(data):
        raise DamagedError(_ENDS)
    return offset + 12, _LENGTH(data, where + 8)[0]


def _step_nested(
    tag: int, vr: bytes, value: int, length: int, nested: list[bool], *, explicit: bool
) -> tuple[int, bool]:
    """Step within sequences of undefined length: where to go on, and whether what follows is explicit."""
    if tag == _SEQUENCE_END and nested:
        return value, nested.pop()
    if tag >> 16 == 0xFFFE:
        if tag not in (_ITEM, _ITEM_END) or not nested:
            raise DamagedError("a sequence in its header is not closed rightly")
        return value + (length if tag == _ITEM and length != _UNDEFINED else 0), explicit
    if length == _UNDEFINED:
        nested.append(explicit)
        return value, explicit and vr != b"UN"
    return value + length, explicit
