"""What goes wrong between a scanner and a study: cut, changed, doubled and lost files."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pydicom

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PREAMBLE_BYTES = 132


def cut(path: Path, keep: float | int) -> Path:
    """Keep the first part of a file: a share of it, or a number of bytes (negative: all but the last)."""
    data = path.read_bytes()
    n_bytes = int(len(data) * keep) if isinstance(keep, float) else keep
    path.write_bytes(data[:n_bytes])
    return path


def double(path: Path, name: str) -> Path:
    """Copy a file beside itself under another name."""
    copy = path.with_name(name)
    shutil.copyfile(path, copy)
    return copy


def fuzz(path: Path, seed: int, n_bytes: int = 8, *, head: int | None = None) -> Path:
    """Replace some bytes after the preamble by others, within the first ``head`` bytes where given."""
    rng = np.random.default_rng(seed)
    data = bytearray(path.read_bytes())
    end = len(data) if head is None else min(head, len(data))
    for where in rng.integers(_PREAMBLE_BYTES, end, n_bytes):
        data[int(where)] = int(rng.integers(0, 256))
    path.write_bytes(bytes(data))
    return path


def set_elements(files: Sequence[Path], **values: object) -> None:
    """Change elements by keyword; None removes one."""
    for path in files:
        dataset = pydicom.dcmread(path)
        for keyword, value in values.items():
            if value is None:
                dataset.pop(keyword, None)
            else:
                setattr(dataset, keyword, value)
        dataset.save_as(path)
