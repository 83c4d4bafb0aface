"""A workspace that reads BIDS folders and knows the version of the reconstruction."""

from __future__ import annotations

from napari_msqsm.io.bids import open_study
from napari_msqsm.workflow.compute import pipeline_version
from napari_msqsm.workspace.workspace import Workspace


def new_workspace() -> Workspace:
    """Make an empty workspace."""
    return Workspace(open_study, pipeline_version())
