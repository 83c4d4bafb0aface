"""Opening napari from the command line, where there is a screen."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PLUGIN = "napari-msqsm"
_QT_BINDINGS = ("PyQt6", "PySide6", "PyQt5")


def why_no_viewer() -> str:
    """Say why a window cannot be opened here; empty when it can."""
    if importlib.util.find_spec("napari") is None or not any(map(importlib.util.find_spec, _QT_BINDINGS)):
        return 'napari is not installed (pip install "napari-msqsm[all]")'
    on_x11_or_wayland = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if sys.platform.startswith("linux") and not on_x11_or_wayland:
        return "there is no screen"
    if os.environ.get("CI"):
        return "nobody looks at the screen here (CI is set)"
    return ""


def open_viewer(study: Path) -> str:
    """Open napari on a study and wait until its window is closed.

    Parameters
    ----------
    study
        BIDS folder; our own reader opens it.

    Returns
    -------
    str
        What went wrong; empty when nothing did.
    """
    reason = why_no_viewer()
    if reason:
        return reason
    command = [sys.executable, "-m", "napari", "--plugin", PLUGIN, str(study)]
    try:
        code = subprocess.run(command, check=False).returncode
    except OSError as error:
        return f"napari did not start ({error})"
    return "" if code == 0 else f"napari ended with code {code}"
