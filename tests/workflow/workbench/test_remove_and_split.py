"""Lesions that are taken away, and confluent ones that are told apart."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.lesion import FollowUp, Lesion
from napari_msqsm.workflow.workbench.remove import remove_lesion
from napari_msqsm.workflow.workbench.split_lesion import split_lesion
from napari_msqsm.workspace.drawing.drawing import Drawing
from napari_msqsm.workspace.drawing.edit import Edit, voxels_set
from napari_msqsm.workspace.drawing.plane import ONSET, VEIN, Plane

S1, S2 = "sub-01_ses-01", "sub-01_ses-02"
FLAIR, LATER = Plane.flair(S1), Plane.follow_up(S2)
GRID = Grid((40, 30, 12), np.diag([1.0, 1.0, 3.0, 1.0]))


@pytest.fixture
def drawing():
    """Two balls that touch, drawn as lesion 1; lesion 2 beside them."""
    found = Drawing(
        "01",
        dict.fromkeys((FLAIR, ONSET, VEIN, LATER), GRID),
        lesions=(Lesion(1, "01-L001", S1, carried="x"), Lesion(2, "01-L002", S1)),
        follow_ups=(FollowUp(1, S2, "y"), FollowUp(2, S2, "z")),
        reader="AB",
    )
    x, y, z = (axis * step for axis, step in zip(np.indices(GRID.shape), (1.0, 1.0, 3.0), strict=True))
    balls = [(x - a) ** 2 + (y - 15) ** 2 + (z - 18) ** 2 < 36 for a in (10, 21)]
    labels = np.where(balls[0] | balls[1], 1, 0)
    labels[34:38, 4:8, 3:6] = 2
    for plane in (FLAIR, ONSET, VEIN, LATER):
        for label in (1, 2):
            index = np.flatnonzero(labels == label)
            found.apply(Edit("draw", (voxels_set(plane, found.labels(plane), index, label),)))
    return found


def test_a_lesion_is_taken_from_every_plane_and_comes_back(drawing):
    before = {plane: drawing.labels(plane).copy() for plane in drawing.planes}
    drawing.apply(remove_lesion(drawing, 1))
    assert [lesion.label for lesion in drawing.lesions] == [2]
    assert [state.label for state in drawing.follow_ups] == [2]
    for plane in drawing.planes:
        assert np.array_equal(drawing.labels(plane), np.where(before[plane] == 1, 0, before[plane]))
    drawing.undo()
    assert all(np.array_equal(drawing.labels(plane), before[plane]) for plane in drawing.planes)
    assert drawing.follow_up(1, S2).propagated == "y"
    with pytest.raises(ParameterError, match="no lesion 7"):
        remove_lesion(drawing, 7)


@pytest.mark.parametrize("number", [None, 2])
def test_confluent_balls_are_told_apart(drawing, number):
    whole = drawing.labels(FLAIR) == 1
    edit = split_lesion(drawing, 1, S1, number=number)
    assert np.array_equal(drawing.labels(FLAIR) == 1, whole)
    drawing.apply(edit)
    new = drawing.lesion(3)
    assert (new.lesion_id, new.onset_session, new.carried) == ("01-L003", S1, "")
    labels = drawing.labels(FLAIR)
    assert np.array_equal((labels == 1) | (labels == 3), whole)
    sides = [np.flatnonzero((labels == label).any(axis=(1, 2))).mean() for label in (1, 3)]
    assert abs(sides[0] - sides[1]) == pytest.approx(11, abs=1.5)
    assert np.array_equal(drawing.labels(ONSET) == 1, whole)
    drawing.undo()
    assert drawing.lesion(3) is None
    assert np.array_equal(drawing.labels(FLAIR) == 1, whole)


def test_what_cannot_be_split_is_refused(drawing):
    with pytest.raises(ParameterError, match="no neck"):
        split_lesion(drawing, 2, S1)
    with pytest.raises(ParameterError, match="is not drawn on the FLAIR of sub-01_ses-02"):
        split_lesion(drawing, 1, S2)
    with pytest.raises(ParameterError, match="no lesion 9"):
        split_lesion(drawing, 9, S1)
