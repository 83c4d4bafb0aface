"""Raw values of data elements → text and numbers."""

from __future__ import annotations

import functools
import struct

_SHORT, _SIGNED, _LONG = struct.Struct("<H"), struct.Struct("<h"), struct.Struct("<i")
_LARGEST = 1e6
"""Millimetres and milliseconds beyond are damage."""


@functools.lru_cache(maxsize=1024)
def text(value: bytes | None) -> str:
    """Decode a value; most are the same in all files of a series."""
    return "" if value is None else value.decode("latin-1").strip(" \0")


@functools.lru_cache(maxsize=1024)
def numbers(value: bytes | None, count: int) -> tuple[float, ...] | None:
    """Read the first ``count`` decimal numbers; None where there is nothing.

    Raises
    ------
    ValueError
        When there are fewer, or they are none.
    """
    words = text(value)
    if not words:
        return None
    found = tuple(float(word) for word in words.split("\\"))
    if len(found) < count or not all(abs(number) <= _LARGEST for number in found):
        raise ValueError(words)
    return found[:count]


def whole(value: bytes | None, default: int) -> int:
    """Read a whole number written as text.

    Raises
    ------
    ValueError
        When it is none.
    """
    words = text(value)
    return int(words) if words else default


def whole_or(value: bytes | None, default: int) -> int:
    """Read a whole number written as text; the default also where it is none."""
    try:
        return whole(value, default)
    except ValueError:
        return default


def unsigned(value: bytes | None, default: int) -> int:
    """Read two bytes."""
    return int(_SHORT.unpack_from(value)[0]) if value is not None and len(value) >= _SHORT.size else default


def signed(value: bytes | None) -> int | None:
    """Read a private number: 2 or 4 bytes, or text."""
    if value is None:
        return None
    if len(value) == _LONG.size:
        return int(_LONG.unpack(value)[0])
    if len(value) == _SIGNED.size:
        return int(_SIGNED.unpack(value)[0])
    return whole_or(value, 0) or None
