"""Drawing on the canvas, with mouse and keys."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from napari_msqsm.widgets.workbench.keys import all_keys
from napari_msqsm.widgets.workbench.stage import Stage
from napari_msqsm.workspace.drawing.edit import Edit, voxels_set
from napari_msqsm.workspace.drawing.plane import NAWM, ONSET, VEIN, Plane

pytestmark = pytest.mark.gui
FIRST, SECOND, THIRD = ("sub-01_ses-01", "sub-01_ses-02", "sub-01_ses-03")


def point_of(canvas, voxel):
    return canvas.screen.frame.screen(voxel)


def look_at_voxel(canvas, voxel, window):
    canvas.look_at(canvas.screen.frame.at_baseline(point_of(canvas, voxel)))
    window.scene.camera.zoom = 16.0


def drawn(drawing, label, plane=ONSET):
    return {tuple(int(i) for i in voxel) for voxel in np.argwhere(drawing.labels(plane) == label)}


def draw(drawing, plane, label, part):
    """Draw a block without the canvas."""
    numbers = np.arange(drawing.labels(plane).size).reshape(drawing.labels(plane).shape)[part].ravel()
    drawing.apply(Edit("block", (voxels_set(plane, drawing.labels(plane), numbers, label),)))


def test_the_brush_paints_the_voxels_under_the_mouse(canvas, hand, drawing, window):
    look_at_voxel(canvas, (14, 30, 6), window)
    canvas.set_tool("brush")
    canvas.set_brush_mm(0.8)
    edits = []
    canvas.edited.connect(edits.append)
    hand.drag([point_of(canvas, (x, 30, 6)) for x in (12, 14, 17)])
    assert drawn(drawing, 1) == {(x, 30, 6) for x in range(12, 18)}
    assert [edit.title for edit in edits] == ["brush"]
    hand.key("Control-Z")
    assert not drawn(drawing, 1)
    hand.key("Control-Shift-Z")
    assert len(drawn(drawing, 1)) == 6
    hand.drag([point_of(canvas, (x, 30, 6)) for x in (11, 13)], shift=True)
    assert drawn(drawing, 1) == {(x, 30, 6) for x in range(14, 18)}
    canvas.set_tool("eraser")
    hand.click(point_of(canvas, (14, 30, 6)))
    assert drawn(drawing, 1) == {(x, 30, 6) for x in range(15, 18)}
    canvas.set_tool("brush")
    canvas.set_3d(True)
    canvas.set_brush_mm(6.5)
    hand.click(point_of(canvas, (30, 30, 6)))
    slices = {z: sum(1 for x, _, at in drawn(drawing, 1) if at == z and x > 20) for z in range(4, 9)}
    assert slices[4] == slices[8] == 0  # 6 mm away
    assert 0 < slices[5] == slices[7] < slices[6]  # 3 mm away
    assert canvas.told == []


def test_a_contour_fills_what_it_encloses_and_shows_its_way(canvas, hand, drawing, window):
    look_at_voxel(canvas, (14, 30, 6), window)
    canvas.set_tool("contour")
    corners = [(10.5, 27.5), (15.5, 27.5), (15.5, 31.5), (10.5, 31.5)]
    points = [point_of(canvas, (x, y, 6)) for x, y in corners]
    hand.drag(points, release=False)
    assert not drawn(drawing, 1)
    preview = canvas.screen.layers.layer("preview")
    assert np.asarray(preview.data).any()
    canvas.flush()
    assert not drawing.can_undo
    hand.drag(points)  # begins anew
    assert drawn(drawing, 1) == {(x, y, 6) for x in range(11, 16) for y in range(28, 32)}
    assert not np.asarray(preview.data).any()
    assert drawing.can_undo == "contour"
    hand.drag(
        [point_of(canvas, (x, y, 6)) for x, y in [(12.5, 28.5), (14.5, 28.5), (14.5, 30.5), (12.5, 30.5)]], shift=True
    )
    assert len(drawn(drawing, 1)) == 20 - 4
    canvas.set_tool("fill")
    hand.click(point_of(canvas, (13, 29, 6)))
    assert len(drawn(drawing, 1)) == 20
    hand.click(point_of(canvas, (20, 29, 6)))
    assert "open" in canvas.told[-1]
    assert len(drawn(drawing, 1)) == 20


def test_a_polygon_by_clicks(canvas, hand, drawing, window):
    look_at_voxel(canvas, (14, 30, 6), window)
    canvas.set_tool("polygon")
    corners = [(10.5, 27.5), (15.5, 27.5), (15.5, 31.5), (10.5, 31.5)]
    for x, y in corners:
        hand.click(point_of(canvas, (x, y, 6)))
    assert not drawn(drawing, 1)
    hand.key("Enter")
    square = {(x, y, 6) for x in range(11, 16) for y in range(28, 32)}
    assert drawn(drawing, 1) == square
    canvas.undo()
    for x, y in corners:
        hand.click(point_of(canvas, (x, y, 6)))
    hand.key("Escape")
    hand.key("Enter")
    assert not drawn(drawing, 1)
    for x, y in corners[:-1]:
        hand.click(point_of(canvas, (x, y, 6)))
    hand.double_click(point_of(canvas, (10.5, 31.5, 6)))
    assert drawn(drawing, 1) == square
    canvas.undo()
    for x, y in [*corners, (10.8, 27.8)]:
        hand.click(point_of(canvas, (x, y, 6)))
    assert drawn(drawing, 1) == square


def test_other_lesions_are_never_painted_over_nor_erased(canvas, hand, drawing, window):
    draw(drawing, ONSET, 3, np.s_[14:17, 25:35, 6])
    others = drawn(drawing, 3)
    look_at_voxel(canvas, (14, 30, 6), window)
    canvas.set_tool("brush")
    canvas.set_brush_mm(3.0)
    hand.drag([point_of(canvas, (x, 30, 6)) for x in (10, 20)])
    assert drawn(drawing, 3) == others
    assert drawn(drawing, 1)
    hand.drag([point_of(canvas, (x, 30, 6)) for x in (10, 20)], shift=True)
    assert drawn(drawing, 3) == others
    assert not drawn(drawing, 1)
    canvas.select(0)
    hand.drag([point_of(canvas, (x, 30, 6)) for x in (10, 12)])
    assert "no lesion is chosen" in canvas.told[-1]
    drawing.read_only = "another window draws on this patient"
    canvas.select(1)
    hand.drag([point_of(canvas, (x, 30, 6)) for x in (10, 12)])
    assert canvas.told[-1] == "another window draws on this patient"
    assert not drawn(drawing, 1)


def test_napari_s_own_tools_are_steps_of_the_drawing_too(canvas, hand, drawing, window):
    draw(drawing, ONSET, 3, np.s_[15, 25:35, 6])
    look_at_voxel(canvas, (14, 30, 6), window)
    layer = canvas.screen.layers.layer("lesions")
    names = []
    canvas.tool_changed.connect(names.append)
    canvas.set_tool("brush")
    layer.mode = "paint"
    assert (layer.mode, names) == ("paint", ["brush", "look"])
    layer.brush_size = 1
    hand.drag([point_of(canvas, (x, 30, 6)) for x in (13, 17)])
    assert drawn(drawing, 1) == {(x, 30, 6) for x in (13, 14, 16, 17)}
    assert drawing.can_undo == "brush"
    layer.mode = "erase"
    hand.drag([point_of(canvas, (x, 30, 6)) for x in (15, 17)])
    assert drawn(drawing, 1) == {(x, 30, 6) for x in (13, 14)}
    assert len(drawn(drawing, 3)) == 10
    hand.key("Control-Z")
    hand.key("Control-Z")
    assert not drawn(drawing, 1)
    layer.data[layer.data.shape[0] // 2 - 1, 2, 3] = 1  # as a script may
    canvas.flush()
    assert len(drawn(drawing, 1)) == 1
    layer.mode = "transform"
    assert layer.mode == "pan_zoom"
    layer.selected_label = 3  # as napari's picker
    assert layer.selected_label == 1  # until whoever keeps the list has chosen it
    picked = []
    canvas.picked.connect(picked.append)
    canvas.picked.connect(canvas.select)
    layer.selected_label = 3
    layer.selected_label = 77
    assert (picked, canvas.label, layer.selected_label) == ([3], 3, 3)
    layer.n_edit_dimensions = 3
    assert canvas.switches["in_space"]
    canvas.set_brush_mm(0.75)
    layer.brush_size += 1
    assert canvas.brush_mm == pytest.approx(1.5)


def test_a_click_selects_and_a_drag_does_not(canvas, hand, drawing, window):
    draw(drawing, ONSET, 3, np.s_[12:17, 25:35, 6])
    look_at_voxel(canvas, (14, 30, 6), window)
    picked = []
    canvas.picked.connect(picked.append)
    hand.click(point_of(canvas, (14, 30, 6)))
    hand.click(point_of(canvas, (20, 30, 6)))
    assert picked == [3]
    hand.drag([point_of(canvas, (14, 30, 6)), point_of(canvas, (16, 30, 6))])
    assert picked == [3]


def test_a_stroke_that_goes_on_is_taken_each_second_and_undone_as_one(canvas, hand, drawing, window, qtbot):
    look_at_voxel(canvas, (14, 30, 6), window)
    canvas.set_tool("brush")
    canvas.set_brush_mm(0.8)
    hand.click(point_of(canvas, (10, 30, 6)))
    stroke = [point_of(canvas, (x, 30, 6)) for x in (12, 14)]
    hand.drag(stroke, release=False)
    qtbot.waitUntil(lambda: len(drawing.history.done) == 2, timeout=3000)  # nobody asked for it
    tool, easel, spot = canvas.current_tool, canvas.easel, canvas._mouse._spot
    tool.drag(easel, spot(SimpleNamespace(position=point_of(canvas, (16, 30, 6)), modifiers=())))
    canvas.flush()
    tool.drag(easel, spot(SimpleNamespace(position=point_of(canvas, (18, 30, 6)), modifiers=())))
    tool.release(easel)
    assert len(drawing.history.done) == 4
    assert len(drawn(drawing, 1)) == 8
    canvas.undo()
    assert drawn(drawing, 1) == {(10, 30, 6)}
    canvas.redo()
    assert len(drawn(drawing, 1)) == 8
    canvas.undo()
    canvas.undo()
    assert not drawn(drawing, 1)
    canvas.redo()
    assert drawn(drawing, 1) == {(10, 30, 6)}


def test_veins_inside_and_reference_outside_the_lesion(canvas, hand, drawing, window):
    draw(drawing, ONSET, 1, np.s_[10:14, 25:30, 6])
    look_at_voxel(canvas, (14, 28, 6), window)
    canvas.set_brush_mm(0.8)
    line = [point_of(canvas, (x, 28, 6)) for x in (8, 17)]
    canvas.set_tool("vein")
    hand.drag(line)
    assert drawn(drawing, 1, VEIN) == {(x, 28, 6) for x in range(10, 14)}
    hand.drag([*line[:1], point_of(canvas, (11, 28, 6))], shift=True)
    assert drawn(drawing, 1, VEIN) == {(12, 28, 6), (13, 28, 6)}
    canvas.set_tool("nawm")
    hand.drag(line)
    assert drawn(drawing, 1, NAWM) == {(x, 28, 6) for x in (8, 9, 14, 15, 16, 17)}
    assert len(drawn(drawing, 1)) == 20
    canvas.show(Stage.FLAIR, FIRST)
    canvas.set_tool("vein")
    hand.click(point_of(canvas, (10, 20, 10)))
    assert "on QSM" in canvas.told[-1]


def test_slices_between_and_next_to_drawn_ones(canvas, hand, drawing, window):
    look_at_voxel(canvas, (14, 30, 6), window)
    hand.key("I")
    assert "no gap" in canvas.told[-1]
    draw(drawing, ONSET, 1, np.s_[10:14, 25:30, 4])
    draw(drawing, ONSET, 1, np.s_[10:14, 25:30, 6])
    hand.key("I")
    assert {z for *_, z in drawn(drawing, 1)} == {4, 5, 6}
    hand.key("N")
    hand.key("N")
    assert {z for *_, z in drawn(drawing, 1)} == {4, 5, 6, 7, 8}
    np.testing.assert_allclose(canvas.screen.frame.voxel(window.dims.point)[2], 8)
    look_at_voxel(canvas, (14, 30, 4), window)
    hand.key("Shift-N")
    assert {z for *_, z in drawn(drawing, 1)} == {3, 4, 5, 6, 7, 8}
    look_at_voxel(canvas, (14, 30, 0), window)
    hand.key("Shift-N")
    assert "no further slice" in canvas.told[-1]


def test_a_proposal_is_looked_at_before_it_is_accepted(canvas, hand, drawing, window):
    look_at_voxel(canvas, (14, 30, 6), window)
    hand.key("G")
    hand.click(point_of(canvas, (14, 30, 6)))
    assert "FLAIR" in canvas.told[-1]
    canvas.show(Stage.FLAIR, FIRST)
    sizes = []
    canvas.proposal_changed.connect(sizes.append)
    look_at_voxel(canvas, (15, 18, 11), window)
    hand.click(point_of(canvas, (15, 18, 11)))
    preview = canvas.screen.layers.layer("preview")

    def shown():
        return int(np.count_nonzero(np.asarray(preview.data)))

    plane = Plane.flair(FIRST)
    first = shown()
    assert first > 20
    assert not drawn(drawing, 1, plane)
    hand.key("Shift-X")
    assert shown() >= first
    for _ in range(12):
        hand.key("Shift-Z")
    smaller = shown()
    assert 0 < smaller < first
    hand.key("Escape")
    assert shown() == 0
    assert sizes[-1] == -1.0
    hand.click(point_of(canvas, (15, 18, 11)))
    hand.key("Enter")
    assert len(drawn(drawing, 1, plane)) == first
    assert shown() == 0
    assert drawing.can_undo == "one-click proposal"


def test_the_adaptive_brush_paints_what_looks_alike(canvas, hand, drawing, window):
    canvas.show(Stage.FLAIR, FIRST)  # a bright lesion about (15, 18, 11)
    look_at_voxel(canvas, (15, 18, 11), window)
    canvas.set_tool("adaptive")
    canvas.set_brush_mm(16.0)
    hand.click(point_of(canvas, (15, 18, 11)))
    found = drawn(drawing, 1, Plane.flair(FIRST))
    lesion = {(x, y, 11) for x in range(30) for y in range(36) if (x - 15) ** 2 + (y - 18) ** 2 < 40}
    assert len(found & lesion) > 0.9 * len(lesion)
    assert len(found - lesion) < 0.1 * len(lesion)
    canvas.undo()
    canvas.set_intensities((0.0, 150.0))
    hand.click(point_of(canvas, (15, 18, 11)))
    assert not drawn(drawing, 1, Plane.flair(FIRST)) & lesion


def test_keys_ask_for_lesions_and_sessions(canvas, hand):
    asked = []
    canvas.next_lesion_requested.connect(lambda step: asked.append(("lesion", step)))
    canvas.next_session_requested.connect(lambda step: asked.append(("session", step)))
    canvas.reviewed_requested.connect(lambda: asked.append("reviewed"))
    for key in ("T", "Shift-T", "W", "Shift-W", "Shift-Q"):
        hand.key(key)
    assert asked == [("lesion", 1), ("lesion", -1), ("session", 1), ("session", -1), "reviewed"]
    for key in all_keys():
        hand.key(key.key)  # each does something that exists
    assert canvas.stage is Stage.FLAIR
    assert canvas.switches == dict.fromkeys(canvas.switches, True)
