"""A tiny study, and napari without the user's own settings."""

from __future__ import annotations

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
