"""Drawing with the mouse of a real window: from pixels to voxels."""

from __future__ import annotations

import numpy as np
import pytest
from vispy.app.canvas import MouseEvent
from vispy.util import keys as vispy_keys

from napari_msqsm.workspace.drawing.plane import ONSET

pytestmark = pytest.mark.gui


class WindowHand:
    """Moves the mouse over the canvas of a window, as Qt does."""

    def __init__(self, window, qtbot):
        self._viewer = window
        self._qtbot = qtbot
        self._canvas = window.window._qt_viewer.canvas
        self._scene = self._canvas._scene_canvas

    def pixel(self, point):
        """Where on the canvas a point (z, y, x) of the viewer is."""
        self._scene.app.process_events()
        view = self._canvas.view
        shown = [point[axis] for axis in self._viewer.dims.displayed[::-1]]
        return tuple(round(float(each)) for each in (view.transform * view.scene.transform).map([*shown, 0, 1])[:2])

    def drag(self, points, *, shift=False):
        """Press at the first point, move over the others, let go."""
        common = {"button": 1, "modifiers": (vispy_keys.SHIFT,) if shift else ()}
        places = [self.pixel(point) for point in points]
        press = last = MouseEvent("mouse_press", pos=places[0], buttons=[1], **common)
        self._scene.events.mouse_press(press)
        for place in places[1:]:
            last = MouseEvent("mouse_move", pos=place, buttons=[1], press_event=press, last_event=last, **common)
            self._scene.events.mouse_move(last)
            self._qtbot.wait(8)  # napari takes a move every 5 ms
        end = MouseEvent("mouse_release", pos=places[-1], press_event=press, last_event=last, **common)
        self._scene.events.mouse_release(end)


def test_in_every_view_of_every_image_the_pixel_lands_in_its_voxel(make_napari_viewer, qtbot, open_on, patient):
    window = make_napari_viewer(show=True)
    hand = WindowHand(window, qtbot)
    for codes in ("RAS", "LPI", "SPR", "AIL"):
        drawing, maps = patient(codes, 15.0)
        canvas = open_on(window, drawing, maps)
        canvas.set_brush_mm(0.8)
        frame = canvas.screen.frame
        middle = np.floor_divide(maps.grid.shape, 2) + np.array((1, -2, 1))
        for order in ((0, 1, 2), (2, 0, 1), (1, 0, 2)):
            window.dims.order = order
            canvas.look_at(frame.at_baseline(frame.screen(middle)))
            window.scene.camera.zoom = 16.0
            across = maps.grid.shape.index(48 if order[2] == 1 else 40)
            other = middle.copy()
            other[across] += 1
            canvas.set_tool("brush")
            hand.drag([frame.screen(middle), frame.screen(other)])
            drawn = {tuple(voxel) for voxel in np.argwhere(drawing.labels(ONSET))}
            assert drawn == {tuple(middle), tuple(other)}, (codes, order)
            hand.drag([frame.screen(middle), frame.screen(other)], shift=True)
            assert not drawing.labels(ONSET).any()
        window.dims.order = (0, 1, 2)
        canvas.look_at(frame.at_baseline(frame.screen(middle)))
        canvas.set_tool("contour")
        u, v = (axis for axis in range(3) if axis != canvas.screen.axis)
        corners = []
        for du, dv in ((-2.5, -1.5), (2.5, -1.5), (2.5, 1.5), (-2.5, 1.5)):
            at = middle.astype(float)
            at[[u, v]] += (du, dv)
            corners.append(frame.screen(at))
        hand.drag(corners)
        drawn = np.argwhere(drawing.labels(ONSET))
        assert len(drawn) == 15, codes
        np.testing.assert_array_equal(drawn.mean(axis=0), middle)
        assert canvas.told == []
        canvas.close()
