"""The record beside every result: what it was made from, by what, how, and how well."""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import platform
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm import __version__, _backend
from napari_msqsm.io.atomic import atomic_path
from napari_msqsm.workflow.settings_rows import recorded
from napari_msqsm.workspace.freshness import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

    from napari_msqsm.model.series import MultiEchoSeries
    from napari_msqsm.qsm.phase_sign import SignVerdict

Locate = Callable[[Path], str]
"""Makes the name under which a file is recorded."""

_LIBRARIES = ("numpy", "scipy", "scikit-image", "nibabel")
_OPTIONAL_LIBRARIES = ("cupy-cuda12x", "cupy-cuda13x")


def versions() -> dict[str, str]:
    """Versions of everything that computes."""
    found = {"napari-msqsm": __version__, "python": platform.python_version()}
    found |= {name: importlib.metadata.version(name) for name in _LIBRARIES}
    for name in _OPTIONAL_LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def input_files(paths: Iterable[Path], locate: Locate) -> list[dict[str, Any]]:
    """Name, SHA-256 and size of every input."""
    return [
        {"URI": locate(path), "SHA256": sha256_of(path), "SizeBytes": path.stat().st_size}
        for path in dict.fromkeys(paths)
    ]


def relative_to(folder: Path) -> Locate:
    """Record files by their path relative to ``folder`` (as they stand where there is no such path)."""

    def locate(path: Path) -> str:
        try:
            return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
        except ValueError:  # another drive
            return path.as_posix()

    return locate


def bids_uri(root: Path) -> Locate:
    """Record files of a dataset as ``bids:raw:…``, others by name only: sidecars hold no private paths."""

    def locate(path: Path) -> str:
        resolved = path.resolve()
        if resolved.is_relative_to(root.resolve()):
            return f"bids:raw:{resolved.relative_to(root.resolve()).as_posix()}"
        return path.name

    return locate


def command_line() -> str:
    """Say which command is running; absolute paths are cut to their last part."""
    program = Path(sys.argv[0]).name if sys.argv else ""
    parts = [Path(part).name if Path(part).is_absolute() else part for part in sys.argv[1:]]
    return shlex.join([program, *parts])


def software(*, device: str, seed: int) -> dict[str, Any]:
    """By what, where and when."""
    usable, name = _backend.gpu_status() if device == "cuda" else (False, "")
    return {
        "Software": versions(),
        "Device": f"cuda ({name})" if usable else "cpu",
        "Threads": _backend.default_threads(),
        "Seed": seed,
        "CommandLine": command_line(),
        "CreatedAt": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def acquisition(series: MultiEchoSeries) -> dict[str, Any]:
    """Record what was known about the scan."""
    return {
        "EchoTimes": {"Value": list(series.echo_times_s), "Unit": "s"},
        "MagneticFieldStrength": {"Value": series.b0_tesla, "Unit": "T"},
        "ImagingFrequency": {"Value": series.imaging_frequency_hz, "Unit": "Hz"},
        "B0Direction": {"Value": list(series.b0_direction), "Unit": "voxel axes"},
        "VoxelSize": {"Value": list(series.grid.voxel_size_mm), "Unit": "mm"},
        "MatrixSize": list(series.grid.shape),
    }


def sign_record(declared: int | None, verdict: SignVerdict | None, *, flipped: bool) -> dict[str, Any]:
    """Whose word the sign of the phase rests on."""
    source = "user" if declared is not None else "data" if flipped else "vendor convention or default"
    record: dict[str, Any] = {"Source": source, "FlippedByData": flipped}
    if verdict is not None:
        record |= {"DataVerdict": verdict.sign, "DataContrast": verdict.contrast, "Sentence": verdict.sentence}
    return record


def settings_record(settings: BaseModel) -> dict[str, Any]:
    """All settings with their units."""
    return recorded(settings)


def plain(value: Any) -> Any:
    """Values as JSON has them: no NumPy scalars, no NaN (null instead), no paths."""
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def write_json_file(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        temporary.write_text(
            json.dumps(plain(record), indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
        )
