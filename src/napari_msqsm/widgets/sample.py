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
    """Copy the sample study to the user's folder, once, open it in the Study panel and return its first session.

    napari takes a sample without layers for a failure, so that the panel alone would not do.
    """
    from napari_msqsm.phantom.sample import copy_sample_study
    from napari_msqsm.widgets.reader import first_session, open_panel

    root = copy_sample_study(sample_folder())
    open_panel(root)
    return first_session(root)
