"""Fill: the enclosed area at a click."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.errors import ParameterError
from napari_msqsm.lesions.tools.fill import enclosed_area
from napari_msqsm.widgets.workbench.tool import Tool

if TYPE_CHECKING:
    from napari_msqsm.widgets.workbench.easel import Easel, Spot


class FillTool(Tool):
    """Fills what is enclosed within the slice; an area that is open is told, not filled."""

    title = "fill"

    def press(self, easel: Easel, spot: Spot) -> None:
        """Fill the area under the mouse."""
        if not easel.ready():
            return
        try:
            area = enclosed_area(easel.labels, spot.voxel, axis=spot.axis)
        except ParameterError as error:
            easel.tell(str(error))
            return
        easel.write(area, easel.label)
        easel.finish(self.title)
