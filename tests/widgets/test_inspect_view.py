"""One pair of images in a viewer without a window."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_msqsm.model.grid import Grid, reoriented
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.widgets.display import SCREEN_CODES
from napari_msqsm.widgets.inspect_view import InspectView
from napari_msqsm.widgets.nudge_keys import MODE_KEYS, MODES, NUDGE_STEPS, SWAP_KEY, UNDO_KEY, keys_html
from napari_msqsm.workflow.inspect_pair.nudge import turned
from napari_msqsm.workflow.inspect_pair.pictures import PairPictures

pytestmark = pytest.mark.gui
SPOT = (12, 20, 9)


def head(shape=(30, 40, 22)):
    """A brain and one bright spot, in axes that run to the right, the front and the top."""
    x, y, z = np.indices(shape)
    brain = ((x - 15) / 11) ** 2 + ((y - 20) / 15) ** 2 + ((z - 11) / 8) ** 2 < 1
    values = 100.0 * brain
    values[SPOT] = 400.0
    return values.astype(np.float32)


def pictures_of(values, grid, **kwargs):
    ordered, on_screen = reoriented(values, grid, SCREEN_CODES)
    return PairPictures(ordered, on_screen, values, grid, AffineTransform.identity(), **kwargs)


@pytest.fixture
def window(qapp):
    """A viewer without a window, which is all that the comparison needs."""
    return ViewerModel()


@pytest.fixture
def view(window):
    tilt = turned(AffineTransform.identity(), (1, 0, 0), 20.0, (0.0, 0.0, 0.0)).matrix
    grid = Grid((30, 40, 22), tilt @ np.diag([1.0, 1.0, 2.0, 1.0]))
    shown = InspectView(window, pictures_of(head(), grid), "ses-01 magnitude", "ses-02 FLAIR")
    yield shown
    shown.close()


def spot(view):
    """Where the brightest voxel of the moving picture is on the screen: (z, y, x) voxels."""
    data = view.layers.layer("moving").data[:]
    return np.array(np.unravel_index(np.argmax(data), data.shape))


def visible(view):
    return {layer.name.partition(":")[0] for layer in view._viewer.layers if layer.visible}


def press(viewer, key):
    next(action for bound, action in viewer.keymap.items() if str(bound) == key.replace("-", "+"))(viewer)


def test_each_way_to_compare_shows_its_layers(qtbot, window, view):
    assert visible(view) == {"fixed"}
    with qtbot.waitSignal(view.shown_changed, timeout=3000):
        view.set_interval(50)
    assert visible(view) == {"fixed", "moving"}
    press(window, SWAP_KEY)
    assert visible(view) == {"fixed"}
    qtbot.wait(120)
    assert visible(view) == {"fixed"}  # by hand now
    expected = {
        "checkerboard": {"checkerboard"},
        "blend": {"fixed", "moving"},
        "edges": {"moving", "edges"},
        "difference": {"difference"},
        "flicker": {"fixed"},
    }
    for key, mode in MODE_KEYS.items():
        press(window, key)
        assert view.mode == mode
        assert visible(view) == expected[mode]
    view.show("blend")
    view.layers.set_opacity(0.3)
    assert view.layers.layer("moving").opacity == pytest.approx(0.3)
    view.show("flicker")
    assert view.layers.layer("moving").opacity == 1.0
    assert window.canvas.overlays.text.text == "R ◂ patient ▸ L"


def test_keys_move_the_picture_as_it_is_seen_and_only_while_nudging(window, view):
    at_first = spot(view)
    assert "Left" not in {str(key) for key in window.keymap}
    view.set_nudging(True)
    view.step_mm = 2.0
    for key, expected in (("Right", (0, 0, 2)), ("Down", (0, 2, 2)), ("PageUp", (1, 2, 2)), ("Left", (1, 2, 0))):
        press(window, key)
        np.testing.assert_array_equal(spot(view) - at_first, expected)
    press(window, UNDO_KEY)
    np.testing.assert_array_equal(spot(view) - at_first, (1, 2, 2))
    view.reset()
    assert not view.was_moved
    np.testing.assert_array_equal(spot(view), at_first)
    view.step_mm = 0.5
    press(window, "Alt-Down")
    np.testing.assert_array_equal(spot(view) - at_first, (0, 5, 0))
    assert view.motion() == pytest.approx((5.0, 0.0))
    view.set_nudging(False)
    assert not {"Left", "Alt+Down", "Backspace"} & {str(key) for key in window.keymap}
    assert window.scene.camera.mouse_pan


def test_in_another_plane_the_same_keys_follow_the_screen(window, view):
    at_first = spot(view)
    window.dims.order = (2, 0, 1)  # sagittal: front on the left, top above
    view.set_nudging(True)
    view.step_mm = 2.0
    press(window, "Right")
    np.testing.assert_array_equal(spot(view) - at_first, (0, 2, 0))
    press(window, "Down")
    np.testing.assert_array_equal(spot(view) - at_first, (1, 2, 0))


def test_a_turn_in_the_plane_is_clockwise_about_the_centre_of_the_view(window, view):
    at_first = spot(view)
    layer = view.layers.layer("moving")
    _, y, x = at_first * layer.scale + layer.translate
    window.scene.camera.center = (0.0, y, x - 6.0)
    view.set_nudging(True)
    view.step_deg = 90.0
    press(window, ".")
    np.testing.assert_array_equal(spot(view) - at_first, (0, 6, -6))  # from the right of the centre to below it
    press(window, ",")
    np.testing.assert_array_equal(spot(view), at_first)


def drag(view, start, end, modifiers=()):
    event = SimpleNamespace(button=1, type="mouse_press", position=start, modifiers=modifiers)
    callback = view._on_drag(view._viewer, event)
    next(callback)
    for share in (0.3, 1.0):
        event.type = "mouse_move"
        event.position = tuple(np.array(start) + share * (np.array(end) - start))
        next(callback)
    event.type = "mouse_release"
    assert next(callback, "over") == "over"


def test_the_mouse_drags_the_picture(window, view):
    at_first = spot(view)
    layer = view.layers.layer("moving")
    place = at_first * layer.scale + layer.translate
    view.set_nudging(True)
    assert view._on_drag in window.mouse_drag_callbacks
    window.layers.selection.active = view.layers.layer("fixed")
    assert not window.scene.camera.mouse_pan  # else the view would move along
    drag(view, place, place + np.array([0, -3.0, 4.0]))
    np.testing.assert_array_equal(spot(view) - at_first, (0, -3, 4))
    view.undo()
    assert not view.was_moved
    window.scene.camera.center = (0.0, place[1], place[2] - 6.0)
    drag(view, place, place + np.array([0, 6.0, -6.0]), modifiers=("Shift",))
    np.testing.assert_array_equal(spot(view) - at_first, (0, 6, -6))
    assert view.motion()[1] == pytest.approx(90.0)


def test_turns_out_of_the_plane_change_the_slices_and_come_back(view):
    before = view.layers.layer("moving").data[:]
    for key in ("Shift-Up", "Shift-Right"):
        view.nudge(NUDGE_STEPS[key], 10)
    assert np.abs(view.layers.layer("moving").data[:] - before).max() > 50
    view.nudge(NUDGE_STEPS["Shift-Left"], 10)
    view.nudge(NUDGE_STEPS["Shift-Down"], 10)
    np.testing.assert_allclose(view.layers.layer("moving").data[:], before, atol=0.1)


def test_in_three_dimensions_nothing_breaks(window, view):
    window.dims.ndisplay = 3
    for mode in MODES:
        view.show(mode)
    view.set_nudging(True)
    view.nudge(NUDGE_STEPS["Right"])
    assert not view.was_moved
    window.dims.ndisplay = 2
    view.nudge(NUDGE_STEPS["Right"])
    assert view.was_moved


def test_a_refined_transform_is_shown_and_reset_comes_back_to_it(view):
    refined = AffineTransform([[1, 0, 0, 1.5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    view.nudge(NUDGE_STEPS["Up"])
    view.begin_at(refined)
    assert not view.was_moved
    view.nudge(NUDGE_STEPS["Up"])
    view.reset()
    assert view.transform == refined


def test_closing_gives_back_what_was_there(qtbot, window):
    image = window.add_image(np.zeros((2, 4, 5, 6)), contrast_limits=(0, 1))
    hidden = window.add_image(np.zeros((4, 5, 6)), visible=False)
    view = InspectView(window, pictures_of(head(), Grid((30, 40, 22), np.eye(4))), "a", "b")
    assert not image.visible
    view.set_nudging(True)
    view.nudge(NUDGE_STEPS["Right"])
    with qtbot.waitSignal(view.layer_removed, timeout=1000):
        window.layers.remove(view.layers.layer("edges"))  # as a user may
    view.close()
    assert list(window.layers) == [image, hidden]
    assert image.visible
    assert not hidden.visible
    assert not window.keymap
    assert view._on_drag not in window.mouse_drag_callbacks


def test_a_step_is_seen_within_a_fifth_of_a_second_at_the_size_of_a_scan(window):
    shape = (256, 256, 128)
    values = np.random.default_rng(0).random(shape, dtype=np.float32)
    view = InspectView(window, pictures_of(values, Grid(shape, np.diag([0.9, 0.9, 1.3, 1.0]))), "a", "b")
    for mode in MODES:
        view.show(mode)
        start = time.process_time()
        for _ in range(3):
            view.nudge(NUDGE_STEPS["Shift-Up"])
        assert (time.process_time() - start) / 3 < 0.2, mode
    view.close()


def test_another_pair_is_looked_at_in_the_same_way(qtbot, window):
    window.add_image(np.zeros((3, 4, 5, 6)), contrast_limits=(0, 1))  # echoes: one more axis
    first = InspectView(window, pictures_of(head(), Grid((30, 40, 22), np.eye(4))), "a", "b")
    window.dims.order = (0, 3, 1, 2)
    first.show("checkerboard")
    window.dims.set_point(3, -7.0)
    window.scene.camera.center = (0.0, 11.0, -20.0)
    window.scene.camera.zoom = 3.5
    look = first.look
    first.close()
    window.layers.clear()
    second = InspectView(window, pictures_of(head(), Grid((30, 40, 22), np.eye(4))), "a", "c")
    assert second.look != look
    second.look_as(look)
    assert visible(second) == {"checkerboard"}
    assert window.dims.order == (2, 0, 1)
    assert window.dims.point[2] == -7.0
    assert window.scene.camera.center == pytest.approx((0.0, 11.0, -20.0))
    assert window.scene.camera.zoom == 3.5
    second.close()


def test_layers_are_made_when_they_are_first_seen(window, view):
    assert len(window.layers) == 2
    view.layers.set_faintest_edge(0.1)
    view.show("edges")
    assert len(window.layers) == 3
    assert view.layers.layer("edges").contrast_limits[0] == pytest.approx(0.1)


def test_every_key_is_told():
    told = keys_html(nudging=True)
    for key in (*MODE_KEYS, SWAP_KEY, UNDO_KEY, "Shift", "Alt", "Page", "drag"):
        assert key in told
    assert "Backspace" not in keys_html(nudging=False)
    assert len(set(NUDGE_STEPS) | set(MODE_KEYS) | {SWAP_KEY, UNDO_KEY}) == len(NUDGE_STEPS) + len(MODE_KEYS) + 2
