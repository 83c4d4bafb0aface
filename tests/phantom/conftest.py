"""One small synthetic study for all tests of the phantom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_msqsm.io.bids import open_study
from napari_msqsm.phantom.design import StudyDesign
from napari_msqsm.phantom.study import write_study

if TYPE_CHECKING:
    from napari_msqsm.model.study import Study

DESIGN = StudyDesign(
    n_sessions=2,
    n_lesions=3,
    voxel_size_mm=(4.0, 4.0, 5.0),
    flair_voxel_size_mm=(4.0, 4.0, 5.0),
    n_echoes=3,
    noise=0.002,
    tilt_deg=12.0,
    subvoxel_mm=2.0,
    seed=5,
)


@pytest.fixture(scope="session")
def design() -> StudyDesign:
    return DESIGN


@pytest.fixture(scope="session")
def small_study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(write_study(tmp_path_factory.mktemp("phantom") / "study", DESIGN))
