"""Hash of what a value contains, the same on every device and in every run."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from napari_msqsm._backend import to_numpy

_DIGEST_BYTES = 20


def new_digest() -> Any:
    """Empty hash object."""
    return hashlib.blake2b(digest_size=_DIGEST_BYTES)


def is_array(value: object) -> bool:
    """Whether a value is an array of any library."""
    if isinstance(value, np.ndarray):
        return True
    return hasattr(value, "__array_namespace__") and hasattr(value, "shape") and not isinstance(value, np.generic)


def digest_of(value: Any) -> str:
    """Content hash of arrays of any library, plain values, and containers, dataclasses and settings of these.

    Raises
    ------
    TypeError
        For a value whose content cannot be known.
    """
    digest = new_digest()
    _feed(digest, value)
    return str(digest.hexdigest())


def _feed(digest: Any, value: Any) -> None:
    if is_array(value):
        host = to_numpy(value)
        digest.update(f"array {host.dtype.str} {host.shape} ".encode())
        digest.update(np.ascontiguousarray(host).reshape(-1).view(np.uint8).data)
    elif value is None or isinstance(value, bool | int | float | complex | str | bytes | np.generic | Path):
        plain = value.item() if isinstance(value, np.generic) else value
        digest.update(f"{type(plain).__name__} {plain!r} ".encode())
    elif isinstance(value, BaseModel):
        digest.update(f"settings {type(value).__qualname__} ".encode())
        _feed(digest, value.model_dump())
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        digest.update(f"dataclass {type(value).__qualname__} ".encode())
        _feed(digest, {field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    elif isinstance(value, Mapping):
        digest.update(f"mapping {len(value)} ".encode())
        for key in sorted(value, key=str):
            digest.update(f"{key!r}: ".encode())
            _feed(digest, value[key])
    elif isinstance(value, Sequence):
        digest.update(f"sequence {len(value)} ".encode())
        for item in value:
            _feed(digest, item)
    elif isinstance(value, set | frozenset):
        _feed(digest, sorted(value, key=repr))
    else:
        raise TypeError(f"cannot hash a {type(value).__qualname__} by content")
