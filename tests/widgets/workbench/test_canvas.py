"""Drawing on the canvas of a real window."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.workspace.drawing.plane import ONSET

pytestmark = pytest.mark.gui
SESSIONS = ("sub-01_ses-01", "sub-01_ses-02", "sub-01_ses-03")


def point_of(canvas, voxel):
    return canvas.screen.frame.screen(voxel)


def look_at_voxel(canvas, voxel):
    canvas.look_at(canvas.screen.frame.at_baseline(point_of(canvas, voxel)))


def test_the_brush_paints_the_voxels_under_the_mouse(canvas, hand, drawing):
    look_at_voxel(canvas, (12, 30, 6))
    canvas.set_tool("brush")
    canvas.set_brush_mm(0.8)
    hand.drag([point_of(canvas, (x, 30, 6)) for x in (12, 14, 17)])
    drawn = np.argwhere(drawing.labels(ONSET) == 1)
    np.testing.assert_array_equal(drawn, [(x, 30, 6) for x in range(12, 18)])
    assert drawing.can_undo == "brush"
    hand.key("Control-Z")
    assert not drawing.labels(ONSET).any()
    hand.key("Control-Shift-Z")
    assert np.count_nonzero(drawing.labels(ONSET)) == 6
    hand.drag([point_of(canvas, (x, 30, 6)) for x in (11, 13)], shift=True)
    assert np.count_nonzero(drawing.labels(ONSET)) == 4
    assert canvas.told == []
