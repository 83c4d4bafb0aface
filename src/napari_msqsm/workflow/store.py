"""A folder of results by key: atomic to write, checked when read, bounded in size."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm._backend import to_numpy
from napari_msqsm.workflow.content import digest_of, is_array

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_INDEX = "values.json"
_OWN_TYPES = "napari_msqsm."
_PENDING = "pending-"


class ResultStore:
    """Named values under a key.

    Parameters
    ----------
    folder
        Made when the first result is stored.
    max_bytes
        The least recently used entries go when the folder grows beyond this.

    Notes
    -----
    Arrays go to ``.npy`` files (never pickled) with a checksum, everything else to one JSON file. An entry appears
    whole by a rename or not at all; an entry that cannot be read is removed and reported as absent.
    """

    def __init__(self, folder: Path, *, max_bytes: int = 4 << 30) -> None:
        self.folder = folder
        self.max_bytes = max_bytes

    def load(self, key: str, lift: Callable[[np.ndarray[Any, Any]], Any]) -> dict[str, Any] | None:
        """Values under a key, or None.

        Parameters
        ----------
        key
            Name of the entry.
        lift
            Makes an array of the library in use from a host array.
        """
        entry = self.folder / key
        if not entry.is_dir():
            return None
        try:
            index = json.loads((entry / _INDEX).read_text(encoding="utf-8"))
            values = {name: _decode(value, entry, lift) for name, value in index.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, EOFError):
            shutil.rmtree(entry, ignore_errors=True)
            return None
        with contextlib.suppress(OSError):
            os.utime(entry)
        return values

    def save(self, key: str, values: Mapping[str, Any]) -> bool:
        """Store values; False when the disk or the kind of a value does not allow it (nothing is left then)."""
        pending = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            pending = self.folder.__class__(tempfile.mkdtemp(prefix=_PENDING, dir=self.folder))
            index = {name: _encode(value, pending, name) for name, value in values.items()}
            with (pending / _INDEX).open("w", encoding="utf-8") as file:
                json.dump(index, file)
                file.flush()
                os.fsync(file.fileno())
            target = self.folder / key
            shutil.rmtree(target, ignore_errors=True)
            pending.rename(target)
        except (OSError, TypeError, ValueError):
            if pending is not None:
                shutil.rmtree(pending, ignore_errors=True)
            return False
        self._trim(keep=key)
        return True

    def _trim(self, keep: str) -> None:
        entries = [path for path in self.folder.iterdir() if path.is_dir() and not path.name.startswith(_PENDING)]
        sizes = {path: sum(file.stat().st_size for file in path.iterdir()) for path in entries}
        total = sum(sizes.values())
        for path in sorted(entries, key=lambda entry: entry.stat().st_mtime):
            if total <= self.max_bytes:
                return
            if path.name != keep:
                shutil.rmtree(path, ignore_errors=True)
                total -= sizes[path]


def _encode(value: Any, folder: Path, name: str) -> Any:
    if is_array(value):
        host = to_numpy(value)
        file_name = f"{name}.npy"
        with (folder / file_name).open("wb") as file:
            np.save(file, host, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        return {"array": file_name, "digest": digest_of(host)}
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        if not kind.__module__.startswith(_OWN_TYPES):
            raise TypeError(f"will not store a {kind.__module__}.{kind.__qualname__}")
        fields = {
            field.name: _encode(getattr(value, field.name), folder, f"{name}.{field.name}")
            for field in dataclasses.fields(value)
            if field.init
        }
        return {"dataclass": [kind.__module__, kind.__qualname__], "fields": fields}
    if isinstance(value, Mapping):
        return {"mapping": {str(key): _encode(item, folder, f"{name}.{key}") for key, item in value.items()}}
    if isinstance(value, tuple | list):
        items = [_encode(item, folder, f"{name}.{index}") for index, item in enumerate(value)]
        return {"tuple" if isinstance(value, tuple) else "list": items}
    raise TypeError(f"will not store a {type(value).__qualname__}")


def _decode(value: Any, folder: Path, lift: Callable[[np.ndarray[Any, Any]], Any]) -> Any:
    if not isinstance(value, dict):
        return value
    if "array" in value:
        host = np.load(folder / value["array"], allow_pickle=False)
        if digest_of(host) != value["digest"]:
            raise ValueError("checksum differs")
        return lift(host)
    if "dataclass" in value:
        module, name = value["dataclass"]
        if not module.startswith(_OWN_TYPES):
            raise ValueError(f"will not make a {module}.{name}")
        kind = getattr(importlib.import_module(module), name)
        return kind(**{key: _decode(item, folder, lift) for key, item in value["fields"].items()})
    if "mapping" in value:
        return {key: _decode(item, folder, lift) for key, item in value["mapping"].items()}
    if "tuple" in value:
        return tuple(_decode(item, folder, lift) for item in value["tuple"])
    return [_decode(item, folder, lift) for item in value["list"]]
