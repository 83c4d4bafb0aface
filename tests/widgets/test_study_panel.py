"""The Study panel in a window."""

from __future__ import annotations

import gc

import pytest
from qtpy.QtWidgets import QPushButton

from napari_msqsm.widgets.map_dialog import MapDialog
from napari_msqsm.workflow.bring_in.susceptibility import ExistingMap

pytestmark = pytest.mark.gui


@pytest.fixture
def panel(window):
    return window.window.add_plugin_dock_widget("napari-msqsm", "Study")[1]


def wait_for_reading(qtbot, panel):
    qtbot.waitUntil(lambda: not panel.coordinator.is_reading, timeout=20_000)


def open_in(qtbot, panel, root):
    panel.coordinator.open_study(root)
    wait_for_reading(qtbot, panel)


def column(panel, index):
    branch = panel.tree.topLevelItem(0)
    return [branch.child(row).text(index) for row in range(branch.childCount())]


def test_a_study_is_listed_selected_and_shown(qtbot, window, panel, study_copy):
    assert panel.pages.currentIndex() == 0
    panel.coordinator.open_study(study_copy)
    assert panel.next_step.text() == "Reading…"
    wait_for_reading(qtbot, panel)
    assert panel.title.text() == "tiny-study"
    assert column(panel, 0) == ["ses-01", "ses-02"]
    assert column(panel, 2) == ["to do", "to do"]
    assert column(panel, 3) == ["GRE, FLAIR, T1, T1+Gd, T2"] * 2
    assert "Reconstruct this session" in panel.next_step.text()

    panel.tree.setCurrentItem(panel.tree.topLevelItem(0).child(1))
    assert panel.coordinator.workspace.selected.label == "sub-01_ses-02"
    assert "sub-01_ses-02" in panel.details.text()
    panel.show_selected()
    wait_for_reading(qtbot, panel)
    visible = [layer.name for layer in window.layers if layer.visible]
    assert visible == ["sub-01_ses-02 magnitude"]
    assert window.canvas.overlays.text.text == "R ◂ patient ▸ L"
    assert tuple(str(unit) for unit in window.layers[0].units) == ("millimeter",) * 3


def test_another_session_hides_the_first(qtbot, window, panel, study_copy):
    open_in(qtbot, panel, study_copy)
    panel.show_selected()
    panel.tree.setCurrentItem(panel.tree.topLevelItem(0).child(1))
    panel.show_selected()
    wait_for_reading(qtbot, panel)
    assert [layer.name for layer in window.layers if layer.visible] == ["sub-01_ses-02 magnitude"]


def test_another_study_with_the_same_names_leaves_no_layer_behind(qtbot, window, panel, study_copy, tiny_study):
    open_in(qtbot, panel, study_copy)
    panel.show_selected()
    wait_for_reading(qtbot, panel)
    open_in(qtbot, panel, tiny_study)
    panel.show_selected()
    wait_for_reading(qtbot, panel)
    assert len(window.layers) == 5
    assert all(layer.metadata["msqsm"]["path"].startswith(str(tiny_study)) for layer in window.layers)


def test_the_sides_follow_the_axes(qtbot, window, panel, study_copy):
    open_in(qtbot, panel, study_copy)
    panel.show_selected()
    wait_for_reading(qtbot, panel)
    window.dims.order = (2, 0, 1)
    assert window.canvas.overlays.text.text == "A ◂ patient ▸ P"


def test_a_folder_that_is_not_bids_is_told_in_words(qtbot, panel, tmp_path, study_copy):
    open_in(qtbot, panel, tmp_path / "nowhere")
    assert "nowhere" in panel.error.text()
    assert not panel.error.isHidden()
    assert panel.error.wordWrap()
    assert "Traceback" in panel.report.details.toPlainText()
    assert panel.pages.currentIndex() == 0
    open_in(qtbot, panel, study_copy)
    assert panel.error.isHidden()


def test_a_broken_image_is_told_in_words(qtbot, window, panel, study_copy):
    open_in(qtbot, panel, study_copy)
    flair = panel.coordinator.workspace.selected.contrasts["FLAIR"]
    flair.write_bytes(b"no image")
    panel.show_selected()
    wait_for_reading(qtbot, panel)
    assert flair.name in panel.error.text()
    assert len(window.layers) == 0


def test_the_button_opens_the_sample(qtbot, panel, tmp_path):
    sample = next(button for button in panel.findChildren(QPushButton) if button.text() == "Sample")
    sample.click()
    wait_for_reading(qtbot, panel)
    assert panel.title.text() == "sample-study"
    assert panel.coordinator.workspace.study.root.is_relative_to(tmp_path)
    assert column(panel, 0) == ["ses-01", "ses-02", "ses-03"]


def test_a_new_window_offers_the_last_folder(qtbot, make_napari_viewer, panel, study_copy):
    open_in(qtbot, panel, study_copy)
    other = make_napari_viewer()
    _, fresh = other.window.add_plugin_dock_widget("napari-msqsm", "Study")
    assert fresh.coordinator is not panel.coordinator
    again = next(button for button in fresh.findChildren(QPushButton) if button.text() == "Open tiny-study again")
    again.click()
    wait_for_reading(qtbot, fresh)
    assert fresh.title.text() == "tiny-study"
    other.close()


def test_a_closed_panel_goes_and_a_new_one_finds_the_study(qtbot, window, panel, study_copy):
    open_in(qtbot, panel, study_copy)
    coordinator = panel.coordinator
    with qtbot.waitSignal(panel.destroyed, timeout=5000):
        window.window.remove_dock_widget(panel)
    gc.collect()
    _, fresh = window.window.add_plugin_dock_widget("napari-msqsm", "Study")
    assert fresh is not panel
    assert fresh.coordinator is coordinator
    assert fresh.title.text() == "tiny-study"


def test_an_existing_map_is_taken_over_and_shown(qtbot, window, panel, study_copy):
    open_in(qtbot, panel, study_copy)
    truth = study_copy / "derivatives/truth/sub-01/ses-01/anat/sub-01_ses-01_Chimap.nii.gz"
    panel.add_button.add_map(ExistingMap(path=truth, unit="ppm"))
    qtbot.waitUntil(lambda: column(panel, 2)[0] == "✓ done", timeout=20_000)
    wait_for_reading(qtbot, panel)
    layer = window.layers["sub-01_ses-01 χ (ppb)"]
    assert tuple(layer.contrast_limits) == (-150.0, 250.0)
    assert 100 < float(layer.data.max()) < 400


def test_a_map_without_a_unit_is_not_taken(qtbot):
    dialog = MapDialog()
    qtbot.addWidget(dialog)
    dialog.fields["path"].setText("/somewhere/chi.nii.gz")
    dialog._accept_if_complete()
    assert dialog.problem.text() == "Say in which unit it is."
    dialog.unit.setCurrentText("ppb")
    assert dialog.chosen().unit == "ppb"
