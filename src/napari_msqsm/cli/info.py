"""``msqsm info``: versions, backend, GPU status and the reason when there is none."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import TYPE_CHECKING, Any

from napari_msqsm.cli import common

if TYPE_CHECKING:
    import argparse

HELP = "versions, backend, GPU status and the reason when there is none"
_PACKAGES = ("napari-msqsm", "numpy", "scipy", "nibabel", "scikit-image", "pydantic", "psygnal", "matplotlib")
_OPTIONAL = ("cupy-cuda12x", "cupy-cuda13x", "napari", "PyQt6", "PySide6")


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Add nothing: ``msqsm info`` takes the common arguments only."""


def run(args: argparse.Namespace) -> int:
    """Print what this installation is made of."""
    facts = collect(args.device)
    common.say(args, f"napari-msqsm {facts['versions']['napari-msqsm']}, Python {facts['python']}, {facts['platform']}")
    for name, version in facts["versions"].items():
        common.say(args, f"  {name:<14} {version or 'not installed'}")
    gpu = facts["gpu"]
    common.say(args, f"backend: {facts['backend']} (--device {args.device}), {facts['threads']} threads")
    common.say(args, f"GPU: {gpu['name']}" if gpu["usable"] else f"GPU: none, {gpu['reason']}")
    common.write_json(args, facts)
    return common.DONE


def collect(device: str) -> dict[str, Any]:
    """Versions, backend and GPU status as plain values."""
    from napari_msqsm import _backend

    usable, text = _backend.gpu_status()
    xp = _backend.array_module(device)
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: _version(name) for name in (*_PACKAGES, *_OPTIONAL)},
        "backend": "CuPy" if xp.__name__.endswith("cupy") else "NumPy",
        "threads": _backend.default_threads(),
        "gpu": {"usable": usable, "name": text if usable else None, "reason": None if usable else text},
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
