"""The Coregister panel in a window."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QInputDialog, QMessageBox

from napari_msqsm.io.transforms import read_transform
from napari_msqsm.widgets.coregister_panel import CoregisterPanel
from napari_msqsm.widgets.initials import initials
from napari_msqsm.widgets.nudge_keys import NUDGE_STEPS
from napari_msqsm.workflow.coregistration.patient import pairs_of
from napari_msqsm.workflow.tasks import TaskState

pytestmark = pytest.mark.gui


@pytest.fixture
def panel(qtbot, window, study_copy, monkeypatch):
    """The panel with the tiny study open; only the FLAIR of each session is left beside the gradient echo.

    Neither the last level of the registration nor where the brain is are tested here, and they take most of the time.
    """
    chosen = CoregisterPanel.settings

    def quick(self):
        settings = chosen(self)
        return settings.model_copy(update={"registration": settings.registration.model_copy(update={"preview": True})})

    monkeypatch.setattr(CoregisterPanel, "settings", quick)
    monkeypatch.setattr(
        "napari_msqsm.workflow.coregistration.work.brain_mask", lambda magnitude, **_: magnitude > 0.3 * magnitude.max()
    )
    for path in study_copy.glob("sub-*/ses-*/anat/*_T?w.*"):
        path.unlink()
    _, docked = window.window.add_plugin_dock_widget("napari-msqsm", "Coregister")
    docked.coordinator.open_study(study_copy)
    wait(qtbot, docked)
    return docked


def wait(qtbot, panel):
    coordinator = panel.coordinator
    qtbot.waitUntil(
        lambda: not (coordinator.tasks.is_busy or coordinator.is_reading or coordinator.is_watching), timeout=120_000
    )


def column(panel, index):
    return [panel.table.item(row, index).text() for row in range(panel.table.rowCount())]


def inspect(qtbot, panel, row):
    panel.table.setCurrentCell(row, 0)
    panel.inspect_button.click()
    wait(qtbot, panel)
    return panel.inspection


def test_without_a_study_it_says_what_to_do(window):
    _, panel = window.window.add_plugin_dock_widget("napari-msqsm", "Coregister")
    assert "Open one in the Study panel" in panel.target.text()
    assert not panel.run_button.isEnabled()
    assert not panel.inspect_button.isEnabled()
    assert panel.inspection.box.isHidden()


def test_all_pairs_are_run_inspected_nudged_refined_and_accepted(
    qtbot, window, panel, study_copy, monkeypatch, tmp_path
):
    assert column(panel, 0) == ["ses-01", "ses-02", "ses-02"]
    assert column(panel, 1) == ["FLAIR", "magnitude", "FLAIR"]
    assert column(panel, 2) == ["not yet"] * 3
    assert "ses-01 magnitude" in panel.target.text()
    panel.run_button.click()
    wait(qtbot, panel)
    task = next(iter(panel.coordinator.tasks))
    assert task.state is TaskState.DONE, task.details
    assert "not yet" not in "".join(column(panel, 2))
    assert panel.summary.text()
    pairs = [pair for pair, _ in panel.table.rows]
    assert all(pair.xfm.is_file() for pair in pairs)

    inspection = inspect(qtbot, panel, 2)
    view, box = inspection.view, inspection.box
    assert not box.isHidden()
    assert "ses-02 FLAIR" in box.title.text()
    assert window.canvas.overlays.text.text == "R ◂ patient ▸ L"
    found = view.transform
    np.testing.assert_allclose(found.matrix, read_transform(pairs[2].xfm).matrix, atol=1e-6)
    box.modes["checkerboard"].click()
    picture = tmp_path / "window.png"
    window.screenshot(str(picture), canvas_only=False, flash=False)
    assert picture.stat().st_size > 10_000
    box.nudge.click()
    canvas = window.window._qt_viewer.canvas.native
    qtbot.keyClick(canvas, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert view.motion()[0] == pytest.approx(5.0)
    moved = view.transform

    box.refine.click()
    assert not box.accept.isEnabled()
    wait(qtbot, panel)
    assert box.accept.isEnabled()
    assert not view.was_moved
    assert view.motion() == pytest.approx((0.0, 0.0), abs=1e-6)
    refined = view.transform
    assert np.abs(refined.matrix - moved.matrix).max() > 1.0
    assert np.abs(refined.matrix - found.matrix)[:3, 3].max() < 2.0

    view.nudge(NUDGE_STEPS["Up"])
    box.note.setText("by the ventricles")
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: (" AB ", True))
    box.accept.click()
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: pytest.fail("asked twice"))
    wait(qtbot, panel)
    assert initials() == panel.who.text() == "AB"
    assert column(panel, 4)[2].startswith("AB, 20")
    assert "accepted by AB" in panel.details.text()
    assert "by the ventricles" in panel.details.text()
    assert json.loads(pairs[2].record.read_text(encoding="utf-8"))["Checked"]["By"] == "AB"
    accepted = read_transform(pairs[2].xfm).matrix
    np.testing.assert_allclose(accepted, view.transform.matrix, atol=1e-6)
    panel.run_button.click()
    wait(qtbot, panel)
    np.testing.assert_array_equal(read_transform(pairs[2].xfm).matrix, accepted)
    monkeypatch.setattr(QMessageBox, "question", lambda *_, **__: QMessageBox.StandardButton.No)
    n_tasks = len(panel.coordinator.tasks)
    box.refine.click()
    assert len(panel.coordinator.tasks) == n_tasks

    window.layers.remove(window.layers[0])  # without one of its layers, there is no comparison
    qtbot.waitUntil(box.isHidden, timeout=5000)
    assert len(window.layers) == 0
    inspect(qtbot, panel, 2)
    assert panel.inspection.box.note.text() == "by the ventricles"
    np.testing.assert_allclose(panel.inspection.view.transform.matrix, accepted, atol=1e-6)


def test_what_was_accepted_is_found_again(qtbot, window, panel, study_copy):
    """As after a restart: the record lies on disk, written by nobody here."""
    from napari_msqsm.io.bids import open_study
    from napari_msqsm.model.transform import AffineTransform
    from napari_msqsm.workflow.coregistration.patient import accept

    study = open_study(study_copy)
    pair = pairs_of(study, study.patients[0])[0]
    accept(study, pair, AffineTransform.identity(), who="CD")
    panel.coordinator.refresh()
    wait(qtbot, panel)
    assert column(panel, 4)[0].startswith("CD, 20")
    assert "accepted by hand" in panel.summary.text()
    # another model makes other transforms outdated, not this one
    panel.model.choose("scale9")
    wait(qtbot, panel)
    assert "outdated" not in column(panel, 2)[0]
    assert not panel.frame.isEnabled()  # the middle is rigid
    panel.model.choose("rigid")
    panel.frame.choose("mid-space")
    assert (panel.settings().registration.model, panel.settings().frame) == ("rigid", "mid-space")
    panel.model.choose("affine")
    assert (panel.settings().registration.model, panel.settings().frame) == ("affine", "baseline")
    wait(qtbot, panel)


def test_a_broken_image_is_told_and_the_others_are_aligned(qtbot, panel, study_copy):
    flair = next((study_copy / "sub-01/ses-02/anat").glob("*_FLAIR.nii.gz"))
    flair.write_bytes(b"no image")
    panel.inspection.inspect(panel.table.rows[2][0])
    wait(qtbot, panel)
    assert flair.name in panel.problem.text()
    assert panel.inspection.view is None
    view = inspect(qtbot, panel, 1).view
    at_first = view.transform
    panel.run_button.click()
    wait(qtbot, panel)
    assert view.transform != at_first  # what is compared is what was found
    np.testing.assert_allclose(view.transform.matrix, read_transform(panel.table.rows[1][0].xfm).matrix, atol=1e-6)
    assert not view.was_moved
    assert "not aligned" in panel.problem.text()
    assert column(panel, 2)[2] == "not yet"
    assert "not yet" not in column(panel, 2)[:2]


def test_a_run_can_be_cancelled(qtbot, panel):
    panel.run_button.click()
    task = next(iter(panel.coordinator.tasks))
    qtbot.waitUntil(lambda: bool(panel.tasks.rows), timeout=5000)
    panel.tasks.rows[-1].cancel.click()
    wait(qtbot, panel)
    assert task.state is TaskState.CANCELLED
    assert "aligning…" not in column(panel, 2)
    assert panel.run_button.isEnabled()


def test_closing_the_panel_or_another_study_takes_the_comparison_off(qtbot, window, panel, study_copy, tmp_path):
    inspect(qtbot, panel, 0)
    panel.inspection.box.nudge.click()
    assert len(window.layers) == 2
    other = shutil.copytree(study_copy, tmp_path / "other")
    panel.coordinator.open_study(other)
    wait(qtbot, panel)
    assert len(window.layers) == 0
    inspect(qtbot, panel, 0)
    with qtbot.waitSignal(panel.destroyed, timeout=5000):
        window.window.remove_dock_widget(panel)
    assert len(window.layers) == 0
    assert not window.keymap


def test_the_study_panel_opens_it(qtbot, window, study_copy):
    _, study = window.window.add_plugin_dock_widget("napari-msqsm", "Study")
    study.coordinator.open_study(study_copy)
    wait(qtbot, study)
    study.coregister_button.click()
    panel = window.window.add_plugin_dock_widget("napari-msqsm", "Coregister")[1]
    assert panel.coordinator is study.coordinator
    wait(qtbot, panel)
    assert panel.table.rowCount() == 9


def test_texts_that_may_be_long_wrap(panel):
    box = panel.inspection.box
    labels = [panel.target, panel.details, panel.summary, panel.problem, box.title, box.shown, box.motion, box.keys]
    assert all(label.wordWrap() for label in labels)
