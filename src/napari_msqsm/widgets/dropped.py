"""What was dropped onto a panel."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QMimeData


def dropped_folder(data: QMimeData | None) -> Path | None:
    """Return the one folder that is dropped; None for anything else."""
    urls = [] if data is None else data.urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    path = Path(urls[0].toLocalFile())
    return path if path.is_dir() else None
