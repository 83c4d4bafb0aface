"""The Reconstruct panel in a window."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtWidgets import QComboBox

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.presets import PRESETS
from napari_msqsm.workflow.tasks import TaskState
from napari_msqsm.workspace.status import sidecar_of

pytestmark = pytest.mark.gui


@pytest.fixture
def panels(qtbot, window, study_copy):
    """Both panels, with the tiny study open."""
    _, study = window.window.add_plugin_dock_widget("napari-msqsm", "Study")
    study.open_reconstruct()
    _, panel = window.window.add_plugin_dock_widget("napari-msqsm", "Reconstruct")
    study.coordinator.open_study(study_copy)
    wait(qtbot, panel)
    panel.preset.setCurrentIndex(panel.preset.findData("fast"))
    return study, panel


def wait(qtbot, panel):
    coordinator = panel.coordinator
    qtbot.waitUntil(
        lambda: not (coordinator.tasks.is_busy or coordinator.is_reading or coordinator.is_watching), timeout=60_000
    )


def test_without_a_study_nothing_can_be_run(window):
    _, panel = window.window.add_plugin_dock_widget("napari-msqsm", "Reconstruct")
    assert not panel.run_button.isEnabled()
    assert not panel.run_all_button.isEnabled()
    assert "Open a study" in panel.target.text()


def test_both_panels_of_a_window_share_one_study(panels, qtbot):
    study, panel = panels
    assert panel.coordinator is study.coordinator
    assert "sub-01_ses-01" in panel.target.text()
    study.tree.setCurrentItem(study.tree.topLevelItem(0).child(1))
    assert "sub-01_ses-02" in panel.target.text()


def test_a_reconstruction_is_shown_in_ppb_over_the_magnitude(qtbot, window, panels, study_copy, tmp_path):
    study, panel = panels
    panel.run_button.click()
    wait(qtbot, panel)
    task = next(iter(panel.coordinator.tasks))
    assert task.state is TaskState.DONE, task.details
    chi = window.layers["sub-01_ses-01 χ (ppb)"]
    assert [layer.name for layer in window.layers if layer.visible] == ["sub-01_ses-01 magnitude", chi.name]
    assert window.layers.index(chi) > window.layers.index("sub-01_ses-01 magnitude")
    assert tuple(chi.contrast_limits) == (-150.0, 250.0)
    low, high = chi.contrast_limits_range
    assert low <= chi.data.min()
    assert high >= chi.data.max()
    assert 20.0 < float(np.std(chi.data[chi.data != 0])) < 300.0  # ppb, not ppm
    assert tuple(chi.scale) == pytest.approx((5.0, 4.0, 4.0))
    assert study.tree.topLevelItem(0).child(0).text(2) == "✓ done"
    assert study.tree.topLevelItem(0).child(1).text(2) == "to do"
    assert "done in" in panel.tasks.rows[0].words.text()
    assert "assumed: phase sign" in panel.notes.text()
    assert not panel.notes_area.isHidden()
    record = json.loads(sidecar_of(task.result.chimap).read_text(encoding="utf-8"))
    assert record["InputFiles"]
    assert task.result.chimap.is_relative_to(study_copy / "derivatives")
    picture = tmp_path / "window.png"
    window.screenshot(str(picture), canvas_only=False, flash=False)
    assert picture.stat().st_size > 10_000


def test_a_result_is_found_again_on_the_next_start(qtbot, make_napari_viewer, window, panels, study_copy):
    _, panel = panels
    panel.run_selected()
    wait(qtbot, panel)
    other = make_napari_viewer()
    _, fresh = other.window.add_plugin_dock_widget("napari-msqsm", "Study")
    fresh.coordinator.open_study(study_copy)
    wait(qtbot, fresh)
    fresh.show_selected()
    wait(qtbot, fresh)
    assert "sub-01_ses-01 χ (ppb)" in other.layers
    other.close()


def test_all_sessions_are_run_and_the_view_stays(qtbot, window, panels):
    study, panel = panels
    panel.run_all_button.click()
    assert len(panel.coordinator.tasks) == 2
    wait(qtbot, panel)
    branch = study.tree.topLevelItem(0)
    assert [branch.child(row).text(2) for row in range(2)] == ["✓ done"] * 2
    assert [layer.name for layer in window.layers if layer.visible][-1] == "sub-01_ses-01 χ (ppb)"


def test_a_run_can_be_cancelled_and_the_window_stays_usable(qtbot, panels):
    _, panel = panels
    started = threading.Event()

    def work(on_progress, cancel):
        from napari_msqsm.errors import CancelledError

        on_progress("Inverting", 0.25)
        started.set()
        assert cancel.wait(20)
        raise CancelledError("stopped")

    task = panel.coordinator.run("sub-01_ses-01", work)
    qtbot.waitUntil(started.is_set, timeout=5000)
    qtbot.waitUntil(lambda: "Inverting" in panel.tasks.rows[-1].words.text(), timeout=5000)
    row = panel.tasks.rows[-1]
    assert "left" in row.words.text()
    assert row.bar.value() == 250
    assert not row.cancel.isHidden()
    row.cancel.click()
    wait(qtbot, panel)
    assert task.state is TaskState.CANCELLED
    assert row.words.text() == "sub-01_ses-01: cancelled"
    assert row.cancel.isHidden()


def test_a_failure_is_told_in_words(qtbot, window, panels):
    _, panel = panels

    def work(on_progress, cancel):
        raise InputError("the phase of echo 2 is missing; add it")

    panel.coordinator.run("sub-01_ses-01", work)
    wait(qtbot, panel)
    row = panel.tasks.rows[-1]
    assert row.words.text() == "sub-01_ses-01: the phase of echo 2 is missing; add it"
    assert not row.report.isHidden()
    assert "Traceback" in row.report.details.toPlainText()
    assert len(window.layers) == 0


def test_closing_the_panel_leaves_the_run_alone(qtbot, window, panels):
    study, panel = panels
    panel.run_selected()
    window.window.remove_dock_widget(panel)
    wait(qtbot, study)
    assert study.tree.topLevelItem(0).child(0).text(2) == "✓ done"
    assert "sub-01_ses-01 χ (ppb)" in window.layers


def test_closing_the_window_cancels_what_runs(qtbot, window, panels):
    _, panel = panels
    coordinator = panel.coordinator

    def work(on_progress, cancel):
        from napari_msqsm.errors import CancelledError

        assert cancel.wait(20)
        raise CancelledError("stopped")

    task = coordinator.run("sub-01_ses-01", work)
    window.close()
    qtbot.waitUntil(lambda: task.is_over, timeout=10_000)
    assert task.state is TaskState.CANCELLED


def test_a_value_that_is_not_allowed_is_told_and_nothing_runs(panels):
    _, panel = panels
    panel.preset.setCurrentIndex(panel.preset.findData("published"))
    editor = panel.form.editor("inversion.lambda_csf")
    editor.setText("many")
    editor.editingFinished.emit()
    assert "lambda_csf" in panel.problem.text()
    assert not panel.problem.isHidden()
    panel.run_button.click()
    assert len(panel.coordinator.tasks) == 0
    editor.setText("50")
    editor.editingFinished.emit()
    assert panel.problem.isHidden()


def test_methods_that_do_not_fit_together_are_told_at_once(panels):
    _, panel = panels
    panel.form.findChild(QComboBox, "inversion.method").choose("tfi")
    assert "set background to none" in panel.problem.text()
    panel.run_button.click()
    assert len(panel.coordinator.tasks) == 0
    panel.form.findChild(QComboBox, "background.method").choose("none")
    assert panel.problem.isHidden()


def test_texts_that_may_be_long_wrap(panels):
    study, panel = panels
    labels = [panel.target, panel.problem, panel.notes, study.details, study.next_step, study.error]
    assert all(label.wordWrap() for label in labels)


def test_a_gpu_that_cannot_be_used_is_told_at_once(monkeypatch, panels):
    _, panel = panels
    monkeypatch.setattr("napari_msqsm.widgets.reconstruct_panel.gpu_status", lambda: (False, "CuPy is not installed"))
    panel.device.setCurrentText("GPU (CUDA)")
    assert "CuPy is not installed" in panel.problem.text()
    panel.device.setCurrentText("CPU")
    assert panel.problem.isHidden()


def test_quality_numbers_are_told_in_words_and_follow_the_selection(qtbot, window, panels):
    study, panel = panels
    assert "no susceptibility map" in panel.quality.words.text()
    panel.run_selected()
    wait(qtbot, panel)
    told = panel.quality.words.text()
    for words in ("SNR, first echo", "Noise of χ", "standard deviation of χ in ventricular CSF"):
        assert words in told
    assert (panel.tabs.tabText(1) == "⚠ Quality") == (panel.quality.n_unusual > 0) == ("⚠" in told)
    assert panel.notes.text().count("⚠ quality:") == panel.quality.n_unusual
    study.tree.setCurrentItem(study.tree.topLevelItem(0).child(1))
    assert "no susceptibility map" in panel.quality.words.text()
    assert panel.tabs.tabText(1) == "Quality"


def test_unusual_numbers_mark_the_tab(panels, monkeypatch):
    study, panel = panels
    status = panel.coordinator.workspace.status
    monkeypatch.setattr(
        panel.coordinator.workspace,
        "status",
        lambda label: replace(status(label), quality={"snr_first_echo": 2.0, "streak_index": 0.9}),
    )
    study.tree.setCurrentItem(study.tree.topLevelItem(0).child(1))
    assert panel.tabs.tabText(1) == "⚠ Quality"
    assert panel.quality.n_unusual == 1
    assert "a noisy scan" in panel.quality.words.text()
    assert "⚠ SNR, first echo 2" in study.details.text()


def test_by_products_are_made_when_asked_for_and_become_layers(qtbot, window, panels):
    _, panel = panels
    panel.by_products.setChecked(True)
    panel.run_selected()
    wait(qtbot, panel)
    for title in ("T2* (ms)", "SWI", "confidence", "brain mask", "CSF mask"):
        assert not window.layers[f"sub-01_ses-01 {title}"].visible
    panel.by_products.setChecked(False)
    panel.run_selected()
    wait(qtbot, panel)
    assert "sub-01_ses-01 SWI" not in window.layers
    assert "sub-01_ses-01 brain mask" in window.layers


def test_what_differs_from_the_preset_is_told_and_can_be_taken_back(panels):
    _, panel = panels
    panel.preset.choose("recommended")
    assert panel.edits.isHidden()
    editor = panel.form.editor("inversion.lambda_csf")
    editor.setText("50")
    editor.editingFinished.emit()
    assert panel.edits.text() == "↺ 1 changed"
    assert "Inversion: λ CSF" in panel.edits.toolTip()
    panel.form.findChild(QComboBox, "background.method").choose("vsharp")
    assert panel.edits.text() == "↺ 2 changed"
    assert panel.form.settings().inversion.lambda_csf == 50.0
    panel.edits.click()
    assert panel.form.settings() == PRESETS["recommended"]
    assert panel.edits.isHidden()


@pytest.mark.parametrize("preset", list(PRESETS))
def test_another_preset_replaces_all_settings(panels, preset):
    _, panel = panels
    panel.form.findChild(QComboBox, "inversion.method").choose("tv")
    panel.preset.choose("fast" if preset != "fast" else "published")
    panel.preset.choose(preset)
    assert panel.form.settings() == PRESETS[preset]
    assert panel.edits.isHidden()
