"""A small patient on disk, and what another program puts beside it."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.io.bids import open_study
from napari_msqsm.io.nifti import save_volume
from napari_msqsm.workflow.drawing.opening import open_drawing
from napari_msqsm.workflow.drawing.places import Places
from workflow.drawing.small_patient import FLAIR, GRE, make_patient


@pytest.fixture
def study(tmp_path):
    make_patient(tmp_path / "study")
    return open_study(tmp_path / "study")


@pytest.fixture
def places(study) -> Places:
    return Places(study.derivatives_root, "01")


@pytest.fixture
def put(places):
    """Write a label image or a table as another program would."""

    def write(what, content, grid=None, dtype=np.int32):
        if isinstance(content, str):
            what.parent.mkdir(parents=True, exist_ok=True)
            what.write_text(content, "utf-8")
            return what
        path = places.plane(what)
        own = FLAIR if what.kind == "flair" else GRE
        save_volume(path, np.asarray(content).astype(dtype), grid or own)
        return path

    return write


@pytest.fixture
def opened(study):
    found = []

    def open_it(reader="AB", **more):
        found.append(open_drawing(study, "01", reader=reader, **more))
        return found[-1]

    yield open_it
    for each in found:
        each.close(anyway=True)
