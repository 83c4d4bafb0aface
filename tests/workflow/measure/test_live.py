"""The curve of a lesion while it is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.workflow.drawing.reading import read_drawing
from napari_msqsm.workflow.measure.flags import split
from napari_msqsm.workflow.measure.kept import Kept
from napari_msqsm.workflow.measure.live import LiveCurve
from napari_msqsm.workflow.measure.patient import measure_patient
from napari_msqsm.workflow.workbench.propagate import propagate, propagation_plan
from napari_msqsm.workflow.workbench.region_at import region_at
from napari_msqsm.workspace.drawing.edit import Edit, voxels_set
from napari_msqsm.workspace.drawing.plane import ONSET, VEIN
from workflow.measure.known_study import S1, S2, S3


@pytest.fixture
def opened(disk):
    maps = disk.maps()
    drawing = read_drawing(disk.study, "01", maps=maps)
    drawing.read_only = ""
    return drawing, maps


def as_in_the_table(drawing, maps, label):
    rows = [
        row
        for row in measure_patient(drawing, maps, look_for_shifts=False).rows
        if row.lesion_id == drawing.lesion(label).lesion_id
    ]
    return [
        (row.lesion_age_y, row.chi_ppb, row.chi_lesion_raw_ppb, row.chi_nawm_ppb, split(row.qc_flags)) for row in rows
    ]


def as_live(curve):
    return [(point.age_y, point.chi_ppb, point.raw_ppb, point.nawm_ppb, point.flags) for point in curve]


def erase(drawing, plane, label, n):
    index = drawing.voxels(plane, label)[:n]
    drawing.apply(Edit("erase", (voxels_set(plane, drawing.labels(plane), index, 0),)))


def test_the_same_numbers_as_in_the_table_to_the_last_digit(opened):
    """After every kind of change, with what was kept from before it."""
    drawing, maps = opened
    live = LiveCurve(drawing, maps)
    live.prepare()
    steps = (
        lambda: None,
        lambda: erase(drawing, ONSET, 1, 20),
        lambda: drawing.apply(propagate(drawing, propagation_plan(drawing, maps, 1))),
        lambda: erase(drawing, VEIN, 1, 99),
        drawing.undo,
    )
    seen = set()
    for step in steps:
        step()
        curve = live.curve(1)
        assert [point.session for point in curve] == [S1, S2, S3]
        assert as_live(curve) == as_in_the_table(drawing, maps, 1)
        seen.add(curve[0].chi_ppb)
    assert len(seen) >= 3  # onset drawn again; vein given back


def test_what_is_not_touched_is_not_carried_again(opened, monkeypatch):
    drawing, maps = opened
    live = LiveCurve(drawing, maps)
    live.curve(1)
    made = []
    solid = Kept.solid
    monkeypatch.setattr(Kept, "solid", lambda self, region: made.append(region.session) or solid(self, region))
    live.curve(1)
    assert made == []
    erase(drawing, ONSET, 1, 5)
    live.curve(1)
    assert set(made) == {S1}  # the regions of later sessions are their own


def test_an_outdated_map_is_flagged_where_it_is_known(opened):
    drawing, maps = opened
    curve = LiveCurve(drawing, maps, outdated=[S2]).curve(1)
    assert [point.flags for point in curve][1] == ("outdated_map",)


def test_memory_is_bounded(opened):
    drawing, _ = opened
    region = region_at(drawing, 1, S1)
    kept = Kept(most_bytes=1)
    first = kept.solid(region)
    assert kept.solid(region) is first
    kept.solid(region_at(drawing, 2, S2))
    again = kept.solid(region)
    assert again is not first
    assert np.array_equal(again.region.depth_coefficients, first.region.depth_coefficients)


def test_refusal(opened):
    with pytest.raises(ParameterError, match="there is no lesion 77 to measure"):
        LiveCurve(*opened).curve(77)
