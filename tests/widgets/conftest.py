"""A tiny study, and napari without the user's own settings."""

from __future__ import annotations

import shutil
import threading

import numpy as np
import pytest

from napari_msqsm.phantom.design import StudyDesign
from napari_msqsm.phantom.study import write_study


@pytest.fixture(scope="session")
def tiny_study(tmp_path_factory):
    """One patient, two sessions, coarse voxels: reconstructs in about a second."""
    design = StudyDesign(
        n_sessions=2,
        n_lesions=2,
        n_echoes=4,
        voxel_size_mm=(4.0, 4.0, 5.0),
        flair_voxel_size_mm=(4.0, 4.0, 5.0),
        subvoxel_mm=5.0,
        field_of_view_mm=(168.0, 208.0, 120.0),
        true_fields=False,
        seed=5,
    )
    return write_study(tmp_path_factory.mktemp("study") / "tiny", design)


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    """Settings of Qt and napari of their own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("NAPARI_CONFIG", str(tmp_path / "napari.yaml"))


@pytest.fixture
def asymmetric():
    """Image in which every direction can be told: (X, Y, Z) = RAS, larger to the right, front and top."""
    x, y, z = np.meshgrid(np.arange(3), np.arange(4), np.arange(5), indexing="ij")
    return (100 * x + 10 * y + z).astype(np.float32)


@pytest.fixture
def window(make_napari_viewer, qtbot):
    """A viewer; nothing of ours may run once it is closed."""
    viewer = make_napari_viewer()
    yield viewer
    before = [thread for thread in threading.enumerate() if thread.name.startswith("msqsm")]
    viewer.close()
    qtbot.waitUntil(lambda: not any(thread.is_alive() for thread in before), timeout=15_000)


@pytest.fixture
def study_copy(tiny_study, tmp_path):
    """The tiny study, to write into."""
    return shutil.copytree(tiny_study, tmp_path / "tiny-study")
