"""A drawing of a few small planes, without files."""

from __future__ import annotations

from napari_msqsm.workspace.drawing.drawing import Drawing
from workflow.drawing.small_patient import FLAIR, GRE, PLANES


def small(**more):
    """Make one."""
    grids = {plane: FLAIR if plane.kind == "flair" else GRE for plane in PLANES}
    return Drawing("01", grids, reader="AB", **more)
