"""Brushes: plain, erasing, adaptive, and those for veins and reference regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.lesions.tools.adaptive import adaptive_voxels, within_range
from napari_msqsm.lesions.tools.brush import brush_voxels
from napari_msqsm.widgets.workbench.tool import Tool

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_msqsm.widgets.workbench.easel import Easel, Spot, Where


class BrushTool(Tool):
    """Paints a round spot of a size in mm along the way of the mouse; with Shift, or as an eraser, takes it off.

    Parameters
    ----------
    title
        Of its steps.
    where
        On which plane it paints.
    erases
        Whether it takes off without Shift.
    """

    def __init__(self, title: str, where: Where = "lesions", *, erases: bool = False) -> None:
        self.title = title
        self._where = where
        self._erases = erases
        self._last: Spot | None = None

    def press(self, easel: Easel, spot: Spot) -> None:
        """Paint a first spot."""
        if easel.ready(self._where):
            self._dab(easel, spot, spot)

    def drag(self, easel: Easel, spot: Spot) -> None:
        """Paint on to where the mouse is."""
        if self._last is not None:
            self._dab(easel, self._last, spot)

    def release(self, easel: Easel) -> None:
        """Make the stroke one step."""
        if self._last is not None:
            self._last = None
            easel.finish(self.title)

    def drop(self, easel: Easel) -> bool:
        """End a stroke that goes on."""
        if self._last is None:
            return False
        self.release(easel)
        return True

    def _dab(self, easel: Easel, start: Spot, end: Spot) -> None:
        erases = self._erases or end.shift
        self._last = end
        index = self._under(easel, start, end, erases=erases)
        easel.write(index, 0 if erases else easel.label, self._where)

    def _under(self, easel: Easel, start: Spot, end: Spot, *, erases: bool) -> NDArray[np.int64]:  # noqa: ARG002
        return brush_voxels(
            easel.grid.shape,
            easel.grid.voxel_size_mm,
            start.voxel,
            end.voxel,
            radius_mm=easel.radius_mm,
            axis=None if easel.in_space else end.axis,
        )


class AdaptiveBrushTool(BrushTool):
    """Paints only voxels that belong: between two intensities, or like the lesion near the brush.

    Attributes
    ----------
    between
        Lowest and highest intensity that is painted, in the unit of the image; None: learnt near the brush.
    """

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.between: tuple[float, float] | None = None

    def press(self, easel: Easel, spot: Spot) -> None:
        """Paint a first spot, if there is an image to look at."""
        if easel.image is None:
            easel.tell("there is no image under the brush to learn from; use the plain brush")
            return
        super().press(easel, spot)

    def _under(self, easel: Easel, start: Spot, end: Spot, *, erases: bool) -> NDArray[np.int64]:
        if erases or easel.image is None:
            return super()._under(easel, start, end, erases=erases)
        if self.between is not None:
            low, high = self.between
            return within_range(easel.image, super()._under(easel, start, end, erases=False), low=low, high=high)
        return adaptive_voxels(
            easel.image,
            easel.labels,
            easel.label,
            easel.grid.voxel_size_mm,
            start.voxel,
            end.voxel,
            radius_mm=easel.radius_mm,
            axis=None if easel.in_space else end.axis,
        )
