"""From FLAIR to the baseline grid."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.model.resampling.labels import resample_labels
from napari_msqsm.workflow.workbench.carry import carry, carry_plan, edited_on_qsm
from napari_msqsm.workspace.drawing.plane import ONSET, Plane

S1, S2 = "sub-01_ses-01", "sub-01_ses-02"


def test_it_is_what_the_whole_image_would_give(drawing, maps, drawn):
    drawn(drawing)
    plane = Plane.flair(S2)
    drawing.apply(carry(drawing, carry_plan(drawing, maps, 1)))
    transform = maps.transform(S2, "FLAIR")
    wanted = resample_labels(drawing.labels(plane), drawing.grid(plane), drawing.grid(ONSET), transform)
    np.testing.assert_array_equal(drawing.labels(ONSET), wanted)
    at = np.argwhere(wanted).mean(axis=0)
    np.testing.assert_allclose(drawing.grid(ONSET).affine[:3] @ [*at, 1], (3, -5, 2), atol=0.3)
    flair_mm3 = np.count_nonzero(drawing.labels(plane)) * drawing.grid(plane).voxel_volume_mm3
    assert np.count_nonzero(wanted) * drawing.grid(ONSET).voxel_volume_mm3 == pytest.approx(flair_mm3, abs=2)


def test_edits_on_qsm_are_kept_apart_and_asked_for(drawing, maps, drawn, paint):
    drawn(drawing)
    assert not edited_on_qsm(drawing, 1)
    drawing.apply(carry(drawing, carry_plan(drawing, maps, 1)))
    assert not edited_on_qsm(drawing, 1)
    assert carry_plan(drawing, maps, 1).action == "up to date"
    flair = drawing.labels(Plane.flair(S2)).copy()
    row = int(np.argwhere(drawing.labels(ONSET))[0][0])
    paint(drawing, ONSET, 0, np.s_[row : row + 2])
    assert edited_on_qsm(drawing, 1)
    np.testing.assert_array_equal(drawing.labels(Plane.flair(S2)), flair)
    trimmed = drawing.labels(ONSET).copy()
    drawn(drawing, radius=6.0)
    plan = carry_plan(drawing, maps, 1)
    assert plan.asks
    assert plan.n_after > plan.n_before > 0
    with pytest.raises(ParameterError, match="edited on QSM"):
        carry(drawing, plan)
    np.testing.assert_array_equal(drawing.labels(ONSET), trimmed)
    drawing.apply(carry(drawing, plan, replace_edits=True))
    assert not edited_on_qsm(drawing, 1)
    assert np.count_nonzero(drawing.labels(ONSET)) == plan.n_after
    drawing.undo()
    np.testing.assert_array_equal(drawing.labels(ONSET), trimmed)
    assert edited_on_qsm(drawing, 1)


def test_a_new_drawing_on_flair_renews_what_was_not_edited(drawing, maps, drawn):
    drawn(drawing, radius=4.0)
    drawing.apply(carry(drawing, carry_plan(drawing, maps, 1)))
    small = np.count_nonzero(drawing.labels(ONSET))
    drawn(drawing, radius=6.0)
    plan = carry_plan(drawing, maps, 1)
    assert (plan.action, plan.asks) == ("renew", False)
    drawing.apply(carry(drawing, plan))
    assert np.count_nonzero(drawing.labels(ONSET)) > 2 * small


def test_a_region_drawn_or_erased_on_qsm_is_an_edit(drawing, maps, drawn, paint):
    paint(drawing, ONSET, 1, np.s_[10:14, 10:14, 5])
    assert edited_on_qsm(drawing, 1)
    drawn(drawing)
    assert carry_plan(drawing, maps, 1).asks
    drawing.apply(carry(drawing, carry_plan(drawing, maps, 1), replace_edits=True))
    paint(drawing, ONSET, 0, ...)
    assert edited_on_qsm(drawing, 1)
    assert "erased on QSM" in carry_plan(drawing, maps, 1).reason


def test_never_over_another_lesion(drawing, maps, drawn):
    drawn(drawing, label=2, centre=(-1.0, -5.0, 2.0), session=S1)
    drawing.apply(carry(drawing, carry_plan(drawing, maps, 2)))
    other = drawing.labels(ONSET) == 2
    drawn(drawing, label=1, centre=(5.0, -5.0, 2.0), session=S2)
    plan = carry_plan(drawing, maps, 1)
    assert "belong to other lesions" in plan.reason
    drawing.apply(carry(drawing, plan))
    np.testing.assert_array_equal(drawing.labels(ONSET) == 2, other)
    assert np.count_nonzero(drawing.labels(ONSET) == 1) == plan.n_after < plan.index.size
    assert carry_plan(drawing, maps, 1).action == "up to date"
    assert not edited_on_qsm(drawing, 1)


def test_refusals(drawing, maps, drawn):
    with pytest.raises(ParameterError, match="no lesion 9"):
        carry_plan(drawing, maps, 9)
    plan = carry_plan(drawing, maps, 1)
    assert "not drawn on the FLAIR of sub-01_ses-02" in plan.reason
    with pytest.raises(ParameterError, match="cannot be carried over"):
        carry(drawing, plan)
    drawn(drawing)
    stale = carry_plan(drawing, maps, 1)
    drawn(drawing, radius=6.0)
    with pytest.raises(ParameterError, match="has changed since"):
        carry(drawing, stale)
    drawn(drawing, label=2, centre=(0, 0, 45), radius=8.0, session=S1)
    del maps.transforms[S2, "FLAIR"]
    assert "not aligned" in carry_plan(drawing, maps, 1).reason


def test_beyond_the_gradient_echo(drawing, maps, paint):
    paint(drawing, Plane.flair(S2), 1, np.s_[20:24, 20:24, 0:2])
    assert "outside the gradient echo" in carry_plan(drawing, maps, 1).reason
