"""Readers of files and BIDS folders."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.io.nifti import save_volume
from napari_msqsm.model.grid import Grid
from napari_msqsm.widgets.reader import get_reader
from napari_msqsm.widgets.sample import open_sample, sample_folder


@pytest.fixture
def chimap(tmp_path):
    path = tmp_path / "sub-01_Chimap.nii.gz"
    save_volume(path, np.full((3, 4, 5), 0.02, np.float32), Grid((3, 4, 5), np.diag([1.0, 2.0, 3.0, 1.0])))
    return path


@pytest.mark.parametrize("name", ["picture.png", "notes.txt", "volume.nii.zip"])
def test_other_files_are_left_to_others(tmp_path, name):
    assert get_reader(str(tmp_path / name)) is None


def test_a_folder_that_is_not_bids_is_left_to_others(tmp_path):
    (tmp_path / "image.nii.gz").touch()
    assert get_reader(str(tmp_path)) is None


def test_nothing_is_read_from_no_file():
    assert get_reader([]) is None


def test_a_map_comes_in_ppb_with_true_proportions(chimap):
    ((data, keywords, layer_type),) = get_reader(str(chimap))(str(chimap))
    assert layer_type == "image"
    assert data.shape == (5, 4, 3)
    assert float(data.max()) == pytest.approx(20.0, rel=1e-4)
    assert keywords["scale"] == pytest.approx((3.0, 2.0, 1.0))
    assert keywords["units"] == ("mm",) * 3
    assert keywords["contrast_limits"] == (-150.0, 250.0)
    assert np.allclose(keywords["metadata"]["msqsm"]["grid"].affine, np.diag([1.0, 2.0, 3.0, 1.0]))


def test_several_files_come_as_several_layers(chimap):
    paths = [str(chimap), str(chimap)]
    assert len(get_reader(paths)(paths)) == 2


def test_a_study_without_a_window_gives_the_first_session(tiny_study):
    layers = get_reader(str(tiny_study))(str(tiny_study))
    assert [keywords["name"] for _, keywords, _ in layers][-1] == "sub-01_ses-01 magnitude"


def test_the_sample_is_copied_to_the_users_folder(tmp_path):
    layers = open_sample()
    assert sample_folder().is_relative_to(tmp_path)
    assert (sample_folder() / "dataset_description.json").is_file()
    assert len(layers) == 5


@pytest.mark.gui
def test_a_study_dropped_on_a_window_opens_the_panel(qtbot, window, study_copy):
    window.open(str(study_copy), plugin="napari-msqsm")
    qtbot.waitUntil(lambda: "Study (napari-msqsm)" in window.window.dock_widgets, timeout=10_000)
    panel = window.window.dock_widgets["Study (napari-msqsm)"]
    qtbot.waitUntil(lambda: panel.title.text() == "tiny-study", timeout=10_000)
    qtbot.waitUntil(lambda: not panel.coordinator.is_reading, timeout=10_000)
    assert window.layers[-1].name == "sub-01_ses-01 magnitude"


@pytest.mark.gui
def test_the_sample_of_the_menu_opens_the_panel(qtbot, window):
    window.open_sample("napari-msqsm", "patient")
    qtbot.waitUntil(lambda: "Study (napari-msqsm)" in window.window.dock_widgets, timeout=10_000)
    panel = window.window.dock_widgets["Study (napari-msqsm)"]
    qtbot.waitUntil(lambda: panel.title.text() == "sample-study", timeout=20_000)
    names = [layer.name for layer in window.layers]
    panel.show_selected()
    qtbot.waitUntil(lambda: not panel.coordinator.is_reading, timeout=10_000)
    assert [layer.name for layer in window.layers] == names
    assert names[-1] == "sub-01_ses-01 magnitude"


@pytest.mark.gui
def test_a_file_dropped_on_a_window_is_marked_and_its_slider_is_wide(qtbot, window, chimap):
    save_volume(chimap, np.linspace(-2, 2, 60, dtype=np.float32).reshape(3, 4, 5), Grid((3, 4, 5), np.eye(4)))
    (layer,) = window.open(str(chimap), plugin="napari-msqsm")
    qtbot.waitUntil(lambda: window.canvas.overlays.text.visible, timeout=5000)
    assert tuple(layer.contrast_limits) == (-150.0, 250.0)
    assert tuple(layer.contrast_limits_range) == pytest.approx((-2000.0, 2000.0), rel=1e-3)
