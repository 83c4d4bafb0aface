"""The Lesions and Lesion table panels in a window, on a patient whose maps and transforms are known."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox

from napari_msqsm.widgets.initials import remember_initials
from napari_msqsm.widgets.workbench.actions import LesionActions
from napari_msqsm.widgets.workbench.stage import Stage
from napari_msqsm.workflow.drawing.opening import open_drawing
from napari_msqsm.workspace.drawing.edit import Edit, voxels_set
from napari_msqsm.workspace.drawing.plane import ONSET, Plane
from workflow.measure.known_study import S1, S2, S3, make

pytestmark = pytest.mark.gui


@pytest.fixture(scope="session")
def known(tmp_path_factory):
    return make(tmp_path_factory.mktemp("panel") / "study").root


@pytest.fixture
def root(known, tmp_path):
    return shutil.copytree(known, tmp_path / "study")


@pytest.fixture
def panel(qtbot, window, root):
    """The Lesions panel with the patient open."""
    remember_initials("AB")
    _, docked = window.window.add_plugin_dock_widget("napari-msqsm", "Lesions")
    docked.coordinator.open_study(root)
    settle(qtbot, docked)
    docked.bar.open_selected()
    settle(qtbot, docked)
    assert docked.work.drawing is not None, docked.words.text()
    return docked


def settle(qtbot, panel):
    work, coordinator = panel.work, panel.coordinator

    def quiet():
        timers = (work._curve_soon, work._track_soon)
        return not (coordinator.is_reading or coordinator.is_watching or any(timer.isActive() for timer in timers))

    qtbot.waitUntil(quiet, timeout=120_000)


def texts(panel, column):
    return [panel.sessions.table.item(row, column).text() for row in range(panel.sessions.table.rowCount())]


def choose(qtbot, panel, label):
    panel._choose(label)
    settle(qtbot, panel)


def test_without_a_study_it_says_what_to_do(window):
    _, panel = window.window.add_plugin_dock_widget("napari-msqsm", "Lesions")
    assert "Open a study" in panel.bar.words.text()
    assert not panel.tabs.isEnabled()
    assert not panel.buttons["New"].isEnabled()


def test_lesions_are_listed_with_what_they_lack(qtbot, panel):
    model = panel.model
    assert [model.data(model.index(row, 0)) for row in range(3)] == ["01-L001", "01-L002", "01-L003"]
    assert [model.data(model.index(row, 1)) for row in range(3)] == ["ses-01", "ses-02", "ses-01"]
    assert "read by AB" in panel.bar.words.text()
    choose(qtbot, panel, 1)
    assert panel.work.canvas.label == 1
    assert len(panel.work.curve) == 3
    assert texts(panel, 0) == ["ses-01", "ses-02", "ses-03"]
    assert texts(panel, 2)[0] == "onset"
    assert all(float(text) for text in texts(panel, 4))


def test_curve_follows_what_is_drawn_and_undo(qtbot, panel):
    choose(qtbot, panel, 1)
    before = panel.work.curve[0].chi_ppb
    drawing = panel.work.drawing
    index = drawing.voxels(ONSET, 1)
    edit = Edit("trim", (voxels_set(ONSET, drawing.labels(ONSET), index[: index.size // 2], 0),))
    panel.work.apply(lambda: edit)
    settle(qtbot, panel)
    assert panel.work.curve[0].chi_ppb != before
    assert "trim" in panel.buttons["↶"].toolTip()
    panel.buttons["↶"].click()
    settle(qtbot, panel)
    assert panel.work.curve[0].chi_ppb == before
    assert "trim" in panel.buttons["↷"].toolTip()


def test_a_lesion_from_its_mark_to_its_curve(qtbot, panel, monkeypatch, tmp_path, window):
    work, drawing = panel.work, panel.work.drawing
    work.show(Stage.FLAIR, S1)
    settle(qtbot, panel)
    label = drawing.next_label()
    panel.lesion_actions.mark((4.0, -20.0, 4.0))
    settle(qtbot, panel)
    assert work.label == label
    assert drawing.lesion(label).onset_session == S1
    assert panel.onset.proposal.onset == "no earlier scan"
    panel.onset.accept_button.click()
    assert drawing.lesion(label).onset == "no earlier scan"
    panel.details.note.setText("beside the ventricle")
    panel.details.note.editingFinished.emit()
    assert drawing.lesion(label).note == "beside the ventricle"
    plane = Plane.flair(S1)
    work.canvas.jump_to(label)
    block = np.zeros(drawing.grid(plane).shape, dtype=bool)
    middle = np.linalg.inv(drawing.grid(plane).affine) @ [*work.maps.transform(S1, "FLAIR").apply((4.0, -20.0, 4.0)), 1]
    x, y, z = np.rint(middle[:3]).astype(int)
    block[x - 3 : x + 4, y - 3 : y + 4, z - 2 : z + 3] = True
    free = np.flatnonzero(block & (drawing.labels(plane) == 0))
    work.apply(lambda: Edit("block", (voxels_set(plane, drawing.labels(plane), free, label),)))
    row = panel.model.row(label)
    assert panel.model.data(panel.model.index(row, 4)) == "carry to QSM"
    panel.sessions.carry_button.click()
    settle(qtbot, panel)
    assert work.canvas.stage is Stage.QSM
    assert drawing.box(ONSET, label) is not None
    panel.sessions.propagate_button.click()
    settle(qtbot, panel)
    assert texts(panel, 2) == ["onset", "propagated", "propagated"]
    assert texts(panel, 3) == ["", "not yet", "not yet"]
    panel.show_session(S2)
    settle(qtbot, panel)
    work.canvas.reviewed_requested.emit()
    assert texts(panel, 3)[1] == "✓"
    index = drawing.voxels(Plane.follow_up(S3), label)[:2]
    work.apply(lambda: Edit("trim", (voxels_set(Plane.follow_up(S3), drawing.labels(Plane.follow_up(S3)), index, 0),)))
    settle(qtbot, panel)
    assert texts(panel, 2) == ["onset", "propagated", "edited"]
    monkeypatch.setattr(LesionActions, "_ask_plan", lambda *_: False)
    panel.sessions.propagate_button.click()
    assert texts(panel, 2)[2] == "edited"
    for stage in Stage:
        work.show(stage, S1)
        settle(qtbot, panel)
        window.screenshot(str(tmp_path / f"{stage}.png"), canvas_only=False, flash=False)
        assert (tmp_path / f"{stage}.png").stat().st_size > 10_000
    work.save()
    settle(qtbot, panel)
    assert work.open.unsaved == 0
    assert "saved" in panel.bar.words.text()


def test_deleting_asks_and_can_be_taken_back(qtbot, panel, monkeypatch):
    choose(qtbot, panel, 2)
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.No)
    panel.buttons["Delete"].click()
    assert panel.model.rowCount() == 3
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    panel.buttons["Delete"].click()
    assert panel.model.rowCount() == 2
    assert panel.work.label == 0
    assert panel.work.drawing.box(ONSET, 2) is None
    panel.buttons["↶"].click()
    assert panel.model.rowCount() == 3
    assert panel.work.drawing.box(ONSET, 2) is not None


def test_local_shift_is_told_and_moves_only_when_accepted(qtbot, panel):
    choose(qtbot, panel, 1)
    panel.show_session(S2)
    settle(qtbot, panel)
    panel.sessions.shift_button.click()
    settle(qtbot, panel)
    assert panel.sessions.shift_words.text()
    assert panel.work.drawing.follow_up(1, S2).shift_mm is None


def test_a_second_window_reads_only(qtbot, window, root):
    from napari_msqsm.io.bids import open_study

    remember_initials("CD")
    first = open_drawing(open_study(root), "01", reader="AB")
    try:
        _, panel = window.window.add_plugin_dock_widget("napari-msqsm", "Lesions")
        panel.coordinator.open_study(root)
        settle(qtbot, panel)
        panel.bar.open_selected()
        settle(qtbot, panel)
        assert "read-only" in panel.bar.words.text()
        assert "AB" in panel.words.text()
        panel.work.select(1)
        panel.lesion_actions.change(note="no")
        assert panel.work.drawing.lesion(1).note != "no"
    finally:
        panel.work.close(anyway=True)
        first.close(anyway=True)


def test_what_was_not_saved_is_offered(qtbot, window, root):
    from napari_msqsm.io.bids import open_study

    remember_initials("AB")
    left = open_drawing(open_study(root), "01", reader="AB")
    index = left.drawing.voxels(ONSET, 1)[:3]
    left.drawing.apply(Edit("trim", (voxels_set(ONSET, left.drawing.labels(ONSET), index, 0),)))
    left.close()
    _, panel = window.window.add_plugin_dock_widget("napari-msqsm", "Lesions")
    panel.coordinator.open_study(root)
    settle(qtbot, panel)
    panel.bar.open_selected()
    settle(qtbot, panel)
    assert "not saved" in panel.bar.recovery.text()
    assert not panel.bar.recover_button.isHidden()
    n_before = panel.work.drawing.voxels(ONSET, 1).size
    panel.bar.recover_button.click()
    settle(qtbot, panel)
    assert panel.work.drawing.voxels(ONSET, 1).size == n_before - 3
    assert panel.bar.recover_button.isHidden()


def test_closing_the_window_saves(qtbot, panel, root):
    choose(qtbot, panel, 1)
    panel.lesion_actions.change(note="kept")
    panel.coordinator.shut_down()
    table = pd.read_csv(root / "derivatives" / "msqsm" / "sub-01" / "sub-01_lesions.tsv", sep="\t")
    assert "kept" in set(table["note"])
    assert not (root / "derivatives" / "msqsm" / "sub-01" / "sub-01.lock").exists()


def test_table_is_measured_filtered_saved_and_leads_to_the_lesion(qtbot, window, panel, root):
    _, table = window.window.add_plugin_dock_widget("napari-msqsm", "Lesion table", tabify=True)
    assert table.model.rowCount() == 0
    table.measure_button.click()
    settle(qtbot, panel)
    assert table.model.rowCount() == 9
    assert "not saved" in table.words.text()
    table.filter.setText("01-L002")
    assert table.sorted.rowCount() == 3
    table.table.sortByColumn(4, Qt.SortOrder.DescendingOrder)
    chi = [table.sorted.index(row, 4).data() for row in range(3)]
    values = [float(text) for text in chi if text]
    assert values == sorted(values, reverse=True)
    row = next(row for row in range(3) if table.sorted.index(row, 2).data() == "ses-03")
    table._jump(table.sorted.index(row, 0))
    settle(qtbot, panel)
    assert (panel.work.label, panel.work.canvas.session, panel.work.canvas.stage) == (2, S3, Stage.QSM)
    table.formats["csv"].setChecked(True)
    table.save_button.click()
    settle(qtbot, panel)
    assert (root / "derivatives" / "msqsm" / "lesion_table.tsv").is_file()
    assert (root / "derivatives" / "msqsm" / "lesion_table.csv").is_file()
    assert "saved as lesion_table.tsv" in table.words.text()
