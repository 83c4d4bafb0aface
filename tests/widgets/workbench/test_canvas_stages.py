"""What the canvas shows: stages, sessions, the place that is seen."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.model.lesion import Lesion
from napari_msqsm.widgets.workbench.canvas import DrawingCanvas
from napari_msqsm.widgets.workbench.stage import Stage
from napari_msqsm.workspace.drawing.edit import Edit, LesionChange, voxels_set
from napari_msqsm.workspace.drawing.plane import ONSET, Plane

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


def test_undo_goes_where_the_change_is(canvas, hand, drawing, window):
    canvas.show(Stage.FLAIR, SECOND)
    look_at_voxel(canvas, (8, 20, 15), window)
    canvas.set_tool("brush")
    hand.click(point_of(canvas, (8, 20, 15)))
    canvas.show(Stage.QSM, THIRD)
    draw(drawing, ONSET, 3, np.s_[30:33, 25:28, 3])
    look_at_voxel(canvas, (10, 10, 9), window)
    canvas.undo()  # on another slice
    assert (canvas.stage, canvas.session) == (Stage.QSM, THIRD)
    np.testing.assert_allclose(canvas.sees, canvas.screen.frame.at_baseline(point_of(canvas, (31, 26, 3))), atol=1e-4)
    canvas.undo()  # on another plane of another session
    assert (canvas.stage, canvas.session) == (Stage.FLAIR, SECOND)
    voxel = canvas.screen.frame.voxel(canvas.screen.frame.from_baseline(canvas.sees))
    np.testing.assert_allclose(voxel, (8, 20, 15), atol=0.5)
    canvas.redo()
    seen = canvas.sees
    canvas.undo()  # in sight: the view stays
    np.testing.assert_allclose(canvas.sees, seen)


def test_flair_and_qsm_show_the_same_place(canvas, window, maps):
    look_at_voxel(canvas, (25, 14, 9), window)
    place = canvas.sees
    canvas.act("switch stage")
    assert canvas.stage is Stage.FLAIR
    assert np.abs(canvas.sees - place).max() <= 1.0 + 1e-6  # half a slice of 2 mm
    in_flair = maps.transform(FIRST, "FLAIR").apply(canvas.sees)
    voxel = np.linalg.inv(maps.flair_grid.affine) @ np.append(in_flair, 1.0)
    np.testing.assert_allclose(
        canvas.screen.frame.voxel(canvas.screen.frame.from_baseline(canvas.sees)), voxel[:3], atol=1e-6
    )
    assert window.scene.camera.zoom == 16.0
    window.dims.order = (1, 0, 2)
    place = canvas.sees
    canvas.act("switch stage")
    assert window.dims.order == (1, 0, 2)
    assert np.abs(canvas.sees - place).max() <= 1.5


def test_each_session_shows_the_plane_that_a_lesion_has_there(canvas, hand, drawing, window):
    draw(drawing, ONSET, 1, np.s_[10:14, 25:30, 6])
    draw(drawing, ONSET, 2, np.s_[20:24, 25:30, 6])
    draw(drawing, Plane.follow_up(SECOND), 1, np.s_[10:12, 25:30, 6])

    def seen(label):
        return np.count_nonzero(np.asarray(canvas.screen.layers.layer("lesions").data) == label)

    assert (seen(1), seen(2)) == (20, 20)
    canvas.show(Stage.QSM, SECOND)
    assert (seen(1), seen(2)) == (10, 20)  # lesion 2 begins here
    look_at_voxel(canvas, (14, 28, 6), window)
    canvas.set_tool("brush")
    canvas.set_brush_mm(0.8)
    hand.click(point_of(canvas, (9, 28, 6)))
    assert (9, 28, 6) in drawn(drawing, 1, Plane.follow_up(SECOND))
    assert (9, 28, 6) not in drawn(drawing, 1)
    hand.click(point_of(canvas, (13, 28, 6)))  # its own place at onset is free here
    assert (13, 28, 6) in drawn(drawing, 1, Plane.follow_up(SECOND))
    canvas.select(2)
    hand.click(point_of(canvas, (19, 28, 6)))
    assert (19, 28, 6) in drawn(drawing, 2)
    hand.click(point_of(canvas, (9, 28, 6)))  # on the other plane, but another lesion's
    assert (9, 28, 6) not in drawn(drawing, 2)
    canvas.show(Stage.QSM, THIRD)
    assert (seen(1), seen(2)) == (0, 0)
    before = drawing.lesion(2)
    drawing.apply(Edit("onset", lesions=(LesionChange(before, Lesion(2, "01-L002", onset_session=THIRD)),)))
    assert seen(2) == 21
    canvas.select(2)
    canvas.only_current(True)
    assert (seen(1), seen(2)) == (0, 21)
    drawing.apply(Edit("delete", lesions=(LesionChange(drawing.lesion(2), None),)))
    assert canvas.label == 0


def test_all_time_points_beside_each_other(canvas, hand, drawing, window):
    draw(drawing, ONSET, 1, np.s_[10:14, 25:30, 6])
    draw(drawing, Plane.follow_up(SECOND), 1, np.s_[20:24, 25:30, 6])
    look_at_voxel(canvas, (14, 30, 6), window)
    canvas.show(Stage.ALL, FIRST)
    assert window.canvas.grid.enabled
    names = {}
    for cell, indices in window.canvas.grid.iter_viewboxes(window.layers):
        names[cell] = {window.layers[index].name for index in indices}
    assert names[0, 0] == {f"{FIRST} χ (ppb)", f"{FIRST} lesions"}
    assert names[0, 1] == {f"{SECOND} χ (ppb)", f"{SECOND} lesions"}
    assert canvas.screen.session_at((1, 0)) == THIRD
    assert canvas.screen.label_at(point_of(canvas, (22, 28, 6)), (0, 1)) == 1
    assert canvas.screen.label_at(point_of(canvas, (22, 28, 6)), (0, 0)) == 0
    np.testing.assert_allclose(canvas.screen.frame.voxel(window.dims.point)[2], 6)
    canvas.set_tool("brush")
    hand.click(point_of(canvas, (14, 30, 6)))
    assert "one time point" in canvas.told[-1]
    assert window.scene.camera.zoom == 8.0  # half as wide
    canvas.show(Stage.QSM, SECOND)
    assert not window.canvas.grid.enabled
    assert window.scene.camera.zoom == 16.0


def test_onset_is_marked_beside_the_subtraction(canvas, hand, drawing, window, maps):
    canvas.show(Stage.ONSET, SECOND)
    assert window.canvas.grid.enabled
    names = {
        cell: {window.layers[index].name for index in indices}
        for cell, indices in window.canvas.grid.iter_viewboxes(window.layers)
    }
    assert f"{SECOND} T1 before gadolinium" in names[0, 0]
    assert f"{SECOND} T1 after gadolinium" in names[0, 1]
    assert f"{SECOND} subtraction" in names[0, 2]
    picked, marked = [], []
    canvas.picked.connect(picked.append)
    canvas.marked.connect(marked.append)
    point = point_of(canvas, (15, 18, 11))
    hand.drag([point, point + 5.0])
    assert not marked
    hand.click(point, viewbox=(0, 2))
    in_t1 = canvas.screen.frame.grid.affine @ (15, 18, 11, 1)
    np.testing.assert_allclose(maps.transform(SECOND, "T1w").apply(marked[0]), in_t1[:3], atol=1e-6)
    new = Lesion(4, "01-L004", onset_session=SECOND, onset_point_mm=marked[0])
    drawing.apply(Edit("mark", lesions=(LesionChange(None, new),)))
    marks = canvas.screen.layers.layer("marks after")
    np.testing.assert_allclose(marks.data_to_world(marks.data[0]), point, atol=1e-6)
    hand.click(point + 1.0)
    assert (picked, len(marked)) == ([4], 1)
    canvas.undo()
    assert len(marks.data) == 0
    canvas.jump_to(1)
    assert canvas.told[-1] == "01-L001 is not drawn yet"
    canvas.show(Stage.QSM, SECOND)
    assert not window.canvas.grid.enabled


def test_what_cannot_be_shown_is_told_and_the_view_stays(canvas, maps):
    maps.lacks.add(SECOND)
    canvas.show(Stage.QSM, SECOND)
    assert SECOND in canvas.told[-1]
    assert (canvas.stage, canvas.session) == (Stage.QSM, FIRST)
    canvas.jump_to(2)
    assert canvas.told[-1] == "01-L002 is not drawn yet"


def test_jumping_to_a_lesion(canvas, drawing, window, maps):
    draw(drawing, ONSET, 1, np.s_[30:33, 35:38, 9])
    canvas.jump_to(1, THIRD)  # not drawn there: where it was at onset
    assert canvas.session == THIRD
    np.testing.assert_allclose(canvas.sees, canvas.screen.frame.at_baseline(point_of(canvas, (31, 36, 9))), atol=1e-4)
    draw(drawing, Plane.flair(SECOND), 2, np.s_[20:23, 10:13, 15])
    canvas.jump_to(2)
    flair = maps.flair_grid.affine @ (21, 11, 15, 1)
    place = maps.transform(SECOND, "FLAIR").inverse().apply(flair[:3])
    assert np.abs(canvas.sees - place)[2] <= 1.5 + 1e-6  # to the nearest slice
    before = drawing.lesion(3)
    after = Lesion(3, "01-L003", onset_session=FIRST, onset_point_mm=(1.0, 2.0, 5.0))
    drawing.apply(Edit("mark", lesions=(LesionChange(before, after),)))
    canvas.jump_to(3)
    assert np.abs(canvas.sees - (1.0, 2.0, 5.0)).max() <= 1.5


def test_of_several_stages_the_last_one_asked_for_is_shown(window, drawing, maps):
    later = []
    canvas = DrawingCanvas(window, lambda work, done: later.append((work, done)))
    canvas.open(drawing, maps)
    shown = []
    canvas.stage_changed.connect(lambda: shown.append((canvas.stage, canvas.session)))
    canvas.show(Stage.QSM, FIRST)
    canvas.show(Stage.FLAIR, SECOND)
    for work, done in later:
        done(work())
    assert shown == [(Stage.FLAIR, SECOND)]
    canvas.show(Stage.QSM, FIRST)  # read meanwhile: at once
    assert shown[-1] == (Stage.QSM, FIRST)
    canvas.show(Stage.QSM, THIRD)
    canvas.close()
    work, done = later[-1]
    done(work())
    assert len(window.layers) == 0


def test_closing_gives_everything_back(window, drawing, maps, open_on, hand):
    image = window.add_image(np.zeros((4, 5, 6)), contrast_limits=(0, 1), name="mine")
    keys = dict(window.keymap)
    drags, doubles = list(window.mouse_drag_callbacks), list(window.mouse_double_click_callbacks)
    canvas = open_on(window, drawing, maps)
    assert not image.visible
    canvas.set_tool("brush")
    assert not window.scene.camera.mouse_pan
    hand.drag([point_of(canvas, (20, 24, 7)), point_of(canvas, (22, 24, 7))], release=False)
    canvas.show(Stage.ALL, FIRST)
    canvas.close()
    assert drawn(drawing, 1)  # what was painted of the stroke is kept
    assert drawing.can_undo == "brush"
    assert list(window.layers) == [image]
    assert image.visible
    assert dict(window.keymap) == keys
    assert window.mouse_drag_callbacks == drags
    assert window.mouse_double_click_callbacks == doubles
    assert window.scene.camera.mouse_pan
    assert not window.canvas.grid.enabled
    drawing.undo()
    canvas.undo()
    canvas.set_tool("look")
    canvas.flush()
    assert canvas.sees is None
    canvas.close()
