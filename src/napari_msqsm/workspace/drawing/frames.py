"""Records in a file, one after the other, each with its length and a checksum that rests on all before it."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MAGIC = b"msqsm drawing 1\n"
_LENGTH = struct.Struct("<I")
_DIGEST_BYTES = 16
_OVERHEAD = _LENGTH.size + _DIGEST_BYTES


class Chain:
    """Frames payloads; the checksum of each covers its length, its bytes and the checksum of the one before."""

    def __init__(self) -> None:
        self._last = MAGIC

    def frame(self, payload: bytes) -> bytes:
        """Frame the next payload."""
        length = _LENGTH.pack(len(payload))
        self._last = hashlib.blake2b(self._last + length + payload, digest_size=_DIGEST_BYTES).digest()
        return length + self._last + payload


def framed(payloads: Iterable[bytes], chain: Chain) -> bytes:
    """Bytes of a file that holds payloads."""
    return MAGIC + b"".join(chain.frame(payload) for payload in payloads)


def unframed(data: bytes) -> tuple[list[bytes], int]:
    """Payloads of a file up to the first that is cut or damaged, and how many bytes they take.

    Parameters
    ----------
    data
        The whole file.
    """
    if not data.startswith(MAGIC):
        return [], 0
    chain, at, payloads = Chain(), len(MAGIC), []
    while at + _OVERHEAD <= len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        end = at + _OVERHEAD + length
        if end > len(data):
            break
        payload = data[at + _OVERHEAD : end]
        if chain.frame(payload) != data[at:end]:
            break
        payloads.append(payload)
        at = end
    return payloads, at
