"""The sample study in *File ▸ Open Sample*."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_msqsm.widgets.reader import LayerData


def sample_folder() -> Path:
    """Where the user's copy of the sample study lies; results are written there, never into the installation."""
    return Path.home() / "napari-msqsm" / "sample-study"


def open_sample() -> list[LayerData]:
    """Copy the sample study to the user's folder, once, and open it."""
    from napari_msqsm.phantom.sample import copy_sample_study
    from napari_msqsm.widgets.reader import read_study

    return read_study(str(copy_sample_study(sample_folder())))
