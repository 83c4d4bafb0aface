"""Controls of the comparison of two images, on a viewer without a window."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.widgets.inspect_box import InspectBox
from napari_msqsm.widgets.inspect_view import InspectView
from napari_msqsm.widgets.nudge_keys import MODES, NUDGE_STEPS
from napari_msqsm.workflow.inspect_pair.pictures import PairPictures

pytestmark = pytest.mark.gui


@pytest.fixture
def view(qapp):
    values = np.random.default_rng(0).random((16, 18, 12), dtype=np.float32)
    grid = Grid(values.shape, np.eye(4))
    shown = InspectView(
        ViewerModel(), PairPictures(values, grid, values, grid, AffineTransform.identity()), "fixed one", "moving <one>"
    )
    yield shown
    shown.close()


@pytest.fixture
def box(qtbot, view):
    controls = InspectBox()
    qtbot.addWidget(controls)
    controls.set_view(view, note="seen before")
    return controls


def test_buttons_and_keys_choose_the_same_thing(view, box):
    assert "moving &lt;one&gt;" in box.title.text()
    assert box.note.text() == "seen before"
    assert box.modes["flicker"].isChecked()
    assert "Shown: fixed one" in box.shown.text()
    view.swap()
    assert "Shown: moving &lt;one&gt;" in box.shown.text()
    for mode in MODES:
        box.modes[mode].click()
        assert view.mode == mode
    view.show("edges")
    assert box.modes["edges"].isChecked()
    assert "red outlines are those of fixed one" in box.shown.text()


def test_the_slider_is_that_of_the_way_to_compare_and_remembers_its_value(view, box):
    layer = view.layers.layer
    box.modes["blend"].click()
    assert layer("moving").opacity == pytest.approx(0.5)
    box.slider.setValue(20)
    assert layer("moving").opacity == pytest.approx(0.2)
    assert box.slider_value.text() == "20 %"
    box.modes["checkerboard"].click()
    box.slider.setValue(10)
    assert view.layers.square_mm == 10.0
    assert box.slider_value.text() == "10 mm"
    box.modes["difference"].click()
    box.slider.setValue(25)
    assert tuple(layer("difference").contrast_limits) == (-0.25, 0.25)
    box.modes["edges"].click()
    box.slider.setValue(20)
    assert layer("edges").contrast_limits[0] == pytest.approx(0.1)
    box.modes["blend"].click()
    assert box.slider.value() == 20
    assert layer("moving").opacity == pytest.approx(0.2)
    box.modes["flicker"].click()
    assert layer("moving").opacity == 1.0
    box.slider.setValue(15)
    assert box.slider_value.text() == "1.5 s"


def test_nudging_tells_its_keys_and_how_far_it_went(view, box):
    assert box.motion.text() == "Not moved by hand."
    assert "Page Up" not in box.keys.text()
    assert not box.undo.isEnabled()
    box.nudge.click()
    assert view.nudging
    assert "Page Up" in box.keys.text()
    assert "Arrow keys" in box.motion.text()
    assert box.keys.isHidden()
    box.keys_button.click()
    assert not box.keys.isHidden()
    box.step.setCurrentText("5 mm, 5°")
    view.nudge(NUDGE_STEPS["Left"])
    view.nudge(NUDGE_STEPS["."])
    assert "5.0 mm" in box.motion.text()
    assert "5.0°" in box.motion.text()
    box.undo.click()
    assert "0.0°" in box.motion.text()
    box.reset.click()
    assert not view.was_moved
    assert not box.reset.isEnabled()


def test_while_something_is_done_with_the_pair_it_can_only_be_looked_at(view, box):
    box.nudge.click()
    box.set_busy("Working…")
    assert not view.nudging
    assert not box.accept.isEnabled()
    assert box.refine.text() == "Working…"
    box.modes["blend"].click()
    assert view.mode == "blend"
    box.set_busy("")
    assert box.accept.isEnabled()
    assert box.refine.text() == "Refine from here"


def test_what_the_user_wants_is_asked_for(qtbot, box):
    for button, signal in (
        (box.refine, box.refine_requested),
        (box.accept, box.accept_requested),
        (box.close_button, box.close_requested),
    ):
        with qtbot.waitSignal(signal, timeout=1000):
            button.click()
