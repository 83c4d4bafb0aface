"""Pixels stored compressed: RLE by pydicom, JPEG 2000 by OpenJPEG, JPEG lossless by a small encoder of our own."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pydicom
from openjpeg.utils import encode_array
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, RLELossless

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SYNTAXES = {"rle": RLELossless, "jpeg2000": JPEG2000Lossless, "jpeg": JPEGLosslessSV1}
_CODE_BITS = 5
_CATEGORIES = 17


def compress_files(files: Iterable[Path], syntax: str) -> None:
    """Store the pixels of files anew; ``syntax`` is one of `SYNTAXES`."""
    for path in files:
        dataset = pydicom.dcmread(path)
        if syntax == "rle":
            dataset.compress(RLELossless, generate_instance_uid=False)
        else:
            encode = {"jpeg": jpeg_lossless, "jpeg2000": jpeg_2000}[syntax]
            frames = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
            dataset.PixelData = encapsulate([encode(frame, dataset.BitsStored) for frame in frames])
            dataset["PixelData"].VR = "OB"
            dataset.file_meta.TransferSyntaxUID = SYNTAXES[syntax]
        dataset.save_as(path, enforce_file_format=True)


def jpeg_2000(frame: np.ndarray, bits: int) -> bytes:
    """Encode one frame without loss."""
    return bytes(encode_array(np.ascontiguousarray(frame), bits_stored=bits, codec_format=0))


def jpeg_lossless(frame: np.ndarray, bits: int) -> bytes:
    """Encode one frame as JPEG process 14, first-order prediction (ITU T.81 annex H), one code length for all."""
    values = frame.astype(np.int64)
    predicted = np.empty_like(values)
    predicted[:, 1:] = values[:, :-1]
    predicted[1:, 0] = values[:-1, 0]
    predicted[0, 0] = 1 << (bits - 1)
    stream = "".join(map(_coded, (values - predicted).ravel().tolist()))
    stream += "1" * (-len(stream) % 8)
    data = int(stream, 2).to_bytes(len(stream) // 8, "big").replace(b"\xff", b"\xff\x00")
    rows, columns = frame.shape
    frame_head = struct.pack(">BHHBBBB", bits, rows, columns, 1, 1, 0x11, 0)
    table = bytes([0, *([0] * (_CODE_BITS - 1)), _CATEGORIES, *([0] * (16 - _CODE_BITS)), *range(_CATEGORIES)])
    scan_head = struct.pack(">BBBBBB", 1, 1, 0, 1, 0, 0)
    segments = ((0xC3, frame_head), (0xC4, table), (0xDA, scan_head))
    head = b"".join(struct.pack(">BBH", 0xFF, mark, len(body) + 2) + body for mark, body in segments)
    return b"\xff\xd8" + head + data + b"\xff\xd9"


def _coded(difference: int) -> str:
    category = abs(difference).bit_length()
    code = f"{category:0{_CODE_BITS}b}"
    if category == 0:
        return code
    rest = difference if difference > 0 else difference + (1 << category) - 1
    return f"{code}{rest:0{category}b}"
