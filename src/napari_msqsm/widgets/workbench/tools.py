"""Tools by name: what they are called, what they do, where they work."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from napari_msqsm.widgets.workbench.stage import Stage
from napari_msqsm.widgets.workbench.tool import Tool
from napari_msqsm.widgets.workbench.tool_brush import AdaptiveBrushTool, BrushTool
from napari_msqsm.widgets.workbench.tool_contour import ContourTool, PolygonTool
from napari_msqsm.widgets.workbench.tool_fill import FillTool
from napari_msqsm.widgets.workbench.tool_propose import ProposeTool


class ToolInfo(NamedTuple):
    """One tool as the reader chooses it.

    Parameters
    ----------
    title
        On its button.
    words
        What it does, one sentence.
    make
        Makes one; None for looking, which changes nothing.
    round
        Whether it has a size.
    only
        Stage on which alone it works; None for wherever is drawn.
    """

    title: str
    words: str
    make: Callable[[], Tool] | None
    round: bool = False
    only: Stage | None = None


LOOK = "look"
TOOLS: dict[str, ToolInfo] = {
    LOOK: ToolInfo("Look", "Move and zoom the view; a click on a lesion selects it.", None),
    "brush": ToolInfo("Brush", "Paint the lesion; with Shift, take it off.", lambda: BrushTool("brush"), True),
    "eraser": ToolInfo("Eraser", "Take the lesion off.", lambda: BrushTool("eraser", erases=True), True),
    "adaptive": ToolInfo(
        "Adaptive brush",
        "Paint only voxels that look like the lesion near the brush, or lie between two intensities.",
        lambda: AdaptiveBrushTool("adaptive brush"),
        True,
    ),
    "contour": ToolInfo("Contour", "Draw around the lesion; the line closes itself and is filled.", ContourTool),
    "polygon": ToolInfo(
        "Polygon", "Click corners; a double click, Enter or a click on the first one fills it.", PolygonTool
    ),
    "fill": ToolInfo("Fill", "Fill the enclosed area at a click.", FillTool),
    "propose": ToolInfo(
        "Propose",
        "Click a lesion on FLAIR: its region is proposed; make it smaller or larger, then accept with Enter.",
        ProposeTool,
        only=Stage.FLAIR,
    ),
    "vein": ToolInfo(
        "Vein brush",
        "Mark the central vein inside the lesion; it is left out of the susceptibility. With Shift, unmark it.",
        lambda: BrushTool("vein", "vein"),
        True,
        Stage.QSM,
    ),
    "nawm": ToolInfo(
        "White matter brush",
        "Paint the lesion's reference region yourself; with Shift, take it off.",
        lambda: BrushTool("reference region", "nawm"),
        True,
        Stage.QSM,
    ),
}
"""In the order of their buttons."""
