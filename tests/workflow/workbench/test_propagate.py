"""Propagating the onset region to later time points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.model.lesion import Lesion
from napari_msqsm.workflow.workbench.propagate import propagate, propagation_plan, review
from napari_msqsm.workflow.workbench.region_at import region_at, roi_source
from napari_msqsm.workflow.workbench.vein import cut_vein, restore_vein
from napari_msqsm.workspace.drawing.edit import Edit, LesionChange
from napari_msqsm.workspace.drawing.plane import ONSET, VEIN, Plane

S1, S2, S3, S4 = (f"sub-01_ses-0{number}" for number in (1, 2, 3, 4))
BLOCK = np.s_[10:16, 10:15, 4:7]


def whole(drawing, region):
    mask = np.zeros(drawing.grid(ONSET).shape, bool)
    mask[region.box] = region.mask
    return mask


def test_the_onset_region_goes_to_all_later_sessions_and_to_no_earlier_one(drawing, maps, paint):
    paint(drawing, ONSET, 1, BLOCK)
    plan = propagation_plan(drawing, maps, 1)
    assert plan.sessions("write") == (S3, S4)
    assert not plan.asks
    drawing.apply(propagate(drawing, plan))
    for session in (S3, S4):
        np.testing.assert_array_equal(drawing.labels(Plane.follow_up(session)), drawing.labels(ONSET))
        assert roi_source(drawing, 1, session) == "propagated"
        assert not drawing.follow_up(1, session).reviewed
    for session in (S1, S2):
        assert not drawing.labels(Plane.follow_up(session)).any()
        assert roi_source(drawing, 1, session) == "onset"
        np.testing.assert_array_equal(whole(drawing, region_at(drawing, 1, session)), drawing.labels(ONSET) == 1)
    assert propagation_plan(drawing, maps, 1).sessions("up to date") == (S3, S4)
    assert propagate(drawing, propagation_plan(drawing, maps, 1)).is_empty


def test_redrawing_renews_what_was_not_edited(drawing, maps, paint):
    paint(drawing, ONSET, 1, BLOCK)
    drawing.apply(propagate(drawing, propagation_plan(drawing, maps, 1)))
    drawing.apply(review(drawing, 1, S3))
    paint(drawing, Plane.follow_up(S4), 0, np.s_[10:12, 10:15, 4:7])
    edited = drawing.labels(Plane.follow_up(S4)).copy()
    assert roi_source(drawing, 1, S4) == "edited"
    paint(drawing, ONSET, 1, np.s_[16:18, 10:15, 4:7])
    plan = propagation_plan(drawing, maps, 1)
    assert plan.asks
    assert plan.sessions("renew") == (S3,)
    assert plan.sessions("override") == (S4,)
    assert plan.steps[0].reviewed_by == "AB"
    drawing.apply(propagate(drawing, plan))
    np.testing.assert_array_equal(drawing.labels(Plane.follow_up(S3)), drawing.labels(ONSET))
    np.testing.assert_array_equal(drawing.labels(Plane.follow_up(S4)), edited)
    assert not drawing.follow_up(1, S3).reviewed
    again = propagation_plan(drawing, maps, 1)
    drawing.apply(propagate(drawing, again, replace_overrides=[S4]))
    np.testing.assert_array_equal(drawing.labels(Plane.follow_up(S4)), drawing.labels(ONSET))
    drawing.undo()
    np.testing.assert_array_equal(drawing.labels(Plane.follow_up(S4)), edited)
    assert roi_source(drawing, 1, S4) == "edited"


def test_another_lesion_is_never_written_over(drawing, maps, paint):
    paint(drawing, ONSET, 1, BLOCK)
    paint(drawing, Plane.follow_up(S3), 2, np.s_[14:20, 10:15, 4:7])
    plan = propagation_plan(drawing, maps, 1)
    assert "30 of its voxels belong to other lesions" in plan.steps[0].reason
    drawing.apply(propagate(drawing, plan))
    there = drawing.labels(Plane.follow_up(S3))
    assert np.count_nonzero(there == 2) == 6 * 5 * 3
    assert np.count_nonzero(there == 1) == 4 * 5 * 3
    assert roi_source(drawing, 1, S3) == "propagated"
    assert propagation_plan(drawing, maps, 1).sessions("up to date") == (S3, S4)


def test_a_session_without_a_map_says_why(drawing, maps, paint):
    paint(drawing, ONSET, 1, BLOCK)
    maps.lacking[S3] = "it has no susceptibility map; reconstruct it"
    plan = propagation_plan(drawing, maps, 1)
    assert [(step.session, step.action) for step in plan.steps] == [(S3, "not possible"), (S4, "write")]
    assert plan.steps[0].reason == maps.lacking[S3]
    drawing.apply(propagate(drawing, plan))
    assert not drawing.labels(Plane.follow_up(S3)).any()
    assert roi_source(drawing, 1, S3) == "onset"


def test_a_region_that_was_erased_is_an_edit_and_measures_nothing(drawing, maps, paint):
    paint(drawing, ONSET, 1, BLOCK)
    drawing.apply(propagate(drawing, propagation_plan(drawing, maps, 1)))
    paint(drawing, Plane.follow_up(S4), 0, BLOCK)
    assert roi_source(drawing, 1, S4) == "edited"
    assert region_at(drawing, 1, S4) is None
    plan = propagation_plan(drawing, maps, 1)
    assert plan.sessions("override") == (S4,)
    assert "erased" in plan.steps[1].reason


def test_one_lesion_leaves_the_others_alone(drawing, maps, paint):
    paint(drawing, ONSET, 1, BLOCK)
    paint(drawing, ONSET, 2, np.s_[30:34, 20:24, 6:8])
    drawing.apply(propagate(drawing, propagation_plan(drawing, maps, 2)))
    assert drawing.labels_on(Plane.follow_up(S2)) == (2,)
    drawing.apply(propagate(drawing, propagation_plan(drawing, maps, 1)))
    assert drawing.labels_on(Plane.follow_up(S2)) == (2,)
    assert drawing.labels_on(Plane.follow_up(S3)) == (1, 2)
    assert region_at(drawing, 2, S1).source == "onset"


def test_the_vein_goes_along(drawing, maps, paint):
    paint(drawing, ONSET, 1, BLOCK)
    inside = np.ravel_multi_index(np.nonzero(drawing.labels(ONSET)[12:13]), (1, 44, 14)) + 12 * 44 * 14
    outside = np.array([0, 1])
    drawing.apply(cut_vein(drawing, 1, np.concatenate([inside, outside])))
    assert np.count_nonzero(drawing.labels(VEIN)) == 15
    drawing.apply(propagate(drawing, propagation_plan(drawing, maps, 1)))
    for session in (S1, S2, S3, S4):
        region = region_at(drawing, 1, session)
        assert np.count_nonzero(region.cut) == 15
        assert region.n_voxels == 90
        assert region.volume_mm3 == pytest.approx(270)
    with pytest.raises(ParameterError, match="none of the voxels"):
        cut_vein(drawing, 1, outside)
    drawing.apply(restore_vein(drawing, 1))
    assert not drawing.labels(VEIN).any()


def test_a_crop_lies_where_the_region_is(drawing, paint):
    paint(drawing, ONSET, 1, np.s_[0:3, 40:44, 12:14])
    region = region_at(drawing, 1, S2)
    index = np.argwhere(region.mask)[0]
    there = np.argwhere(drawing.labels(ONSET) == 1)[0]
    expected = drawing.grid(ONSET).affine @ [*there, 1]
    np.testing.assert_allclose(region.grid.affine @ [*index, 1], expected, atol=1e-9)


def test_an_accepted_shift_moves_the_region_at_its_session(drawing, maps, paint):
    paint(drawing, ONSET, 1, BLOCK)
    for session in (S2, S3):
        before = drawing.follow_up(1, session)
        drawing._follow_ups[1, session] = replace(before, shift_mm=(1.0, -0.5, 2.0))
    assert region_at(drawing, 1, S2).shift_mm is None
    moved = region_at(drawing, 1, S3).moved(maps.transform(S3))
    point = np.array([3.0, 4.0, 5.0])
    np.testing.assert_allclose(moved.apply(point), maps.transform(S3).apply(point + np.array([1.0, -0.5, 2.0])))
    assert region_at(drawing, 1, S2).moved(maps.transform(S2)) is maps.transform(S2)


def test_refusals(drawing, maps, paint):
    with pytest.raises(ParameterError, match="no lesion 9"):
        propagation_plan(drawing, maps, 9)
    assert "no onset region" in propagation_plan(drawing, maps, 1).refused
    with pytest.raises(ParameterError, match="cannot be propagated"):
        propagate(drawing, propagation_plan(drawing, maps, 1))
    paint(drawing, ONSET, 1, BLOCK)
    plan = propagation_plan(drawing, maps, 1)
    with pytest.raises(ParameterError, match="was not edited at"):
        propagate(drawing, plan, replace_overrides=[S3])
    paint(drawing, ONSET, 1, np.s_[20:22, 10:15, 4:7])
    with pytest.raises(ParameterError, match="has changed since"):
        propagate(drawing, plan)
    drawing.apply(Edit("new", (), (LesionChange(None, Lesion(3, "01-L003")),)))
    assert "mark its onset" in propagation_plan(drawing, maps, 3).refused
    drawing.reader = ""
    with pytest.raises(ParameterError, match="give your initials"):
        review(drawing, 1, S3)
    with pytest.raises(ParameterError, match="no lesion 9"):
        review(drawing, 9, S3)
