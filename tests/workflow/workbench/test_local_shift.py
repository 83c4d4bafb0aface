"""Shifts about a lesion at the sessions of a patient."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from napari_msqsm.errors import CancelledError, ParameterError
from napari_msqsm.workflow.workbench.local_shift import accept_shift, drop_shift, shift_at, shifts
from napari_msqsm.workflow.workbench.maps import SessionMap
from napari_msqsm.workflow.workbench.region_at import region_at
from napari_msqsm.workspace.drawing.plane import ONSET

S1, S2, S3, S4 = (f"sub-01_ses-0{number}" for number in (1, 2, 3, 4))
SHIFT_MM = np.array([0.9, -0.6, 0.5])
WAVES = np.random.default_rng(2).normal(size=(60, 3)) / 3.0
PHASES = np.random.default_rng(3).uniform(0, 6, 60)


def tissue(points_mm):
    """A head that is known everywhere, by its position at the baseline."""
    return 0.02 * np.cos(points_mm @ WAVES.T + PHASES).mean(axis=-1) * np.sqrt(60)


@pytest.fixture
def scanned(drawing, maps, monkeypatch):
    """Maps of the second and the later sessions; at the third the tissue lies beside where the transform says."""

    def of(session):
        if session not in (S2, S3):
            return None
        grid, transform = drawing.grid(ONSET), maps.transform(session)
        index = np.moveaxis(np.indices(grid.shape), 0, -1)
        places = transform.inverse().apply(index @ grid.affine[:3, :3].T + grid.affine[:3, 3])
        chi = tissue(places - SHIFT_MM * (session == S3)).astype(np.float32)
        return SessionMap(chi, np.ones(grid.shape, bool), grid, transform, None, None)

    monkeypatch.setattr(maps, "map", of, raising=False)
    monkeypatch.setattr(maps, "magnitude", lambda session: (2 + of(session).chi_ppm, of(session).grid), raising=False)
    maps.lacking[S4] = "it has no susceptibility map; reconstruct it"
    return maps


@pytest.mark.parametrize("images", [("chi",), ("chi", "magnitude")])
def test_a_shift_is_found_told_and_accepted(drawing, scanned, paint, images):
    paint(drawing, ONSET, 1, np.s_[20:26, 18:24, 6:8])
    found = shift_at(drawing, scanned, 1, S3, images=images)
    np.testing.assert_allclose(found.shift.shift_mm, SHIFT_MM, atol=0.1)
    assert found.words.startswith("shift 1.")
    assert found.words.endswith("misaligned")
    drawing.apply(accept_shift(drawing, found))
    region = region_at(drawing, 1, S3)
    place = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(
        region.moved(scanned.transform(S3)).apply(place),
        scanned.transform(S3).apply(place + np.array(found.shift.shift_mm)),
    )
    assert accept_shift(drawing, found).is_empty
    drawing.apply(drop_shift(drawing, 1, S3))
    assert drawing.follow_up(1, S3).shift_mm is None
    drawing.undo()
    assert drawing.follow_up(1, S3).shift_mm == found.shift.shift_mm


def test_all_sessions_after_onset_and_what_they_lack(drawing, scanned, paint):
    paint(drawing, ONSET, 1, np.s_[20:26, 18:24, 6:8])
    told = []
    found = shifts(drawing, scanned, 1, on_progress=lambda *step: told.append(step))
    assert [each.session for each in found] == [S3, S4]
    assert "no susceptibility map" in found[1].words
    assert len(told) == 2
    with pytest.raises(ParameterError, match="no shift to accept"):
        accept_shift(drawing, found[1])
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        shifts(drawing, scanned, 1, cancel=stop)


def test_refusals(drawing, scanned, paint):
    assert "no onset region" in shift_at(drawing, scanned, 1, S3).words
    paint(drawing, ONSET, 1, np.s_[20:26, 18:24, 6:8])
    assert "its onset session" in shift_at(drawing, scanned, 1, S2).words
    for call in (shift_at, drop_shift):
        with pytest.raises(ParameterError, match="no lesion 9"):
            call(*((drawing, scanned, 9, S3) if call is shift_at else (drawing, 9, S3)))
    with pytest.raises(ParameterError, match="no lesion 9"):
        shifts(drawing, scanned, 9)
