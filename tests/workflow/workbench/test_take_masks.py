"""Masks that exist already, and lesions over sessions."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from napari_msqsm.errors import CancelledError, InputError, ShapeMismatchError
from napari_msqsm.workflow.workbench.match_drawn import match_drawn
from napari_msqsm.workflow.workbench.take_masks import take_labels
from napari_msqsm.workflow.workbench.tracking import track
from napari_msqsm.workspace.drawing.plane import ONSET, Plane

S1, S2, S3, S4 = (f"sub-01_ses-0{number}" for number in (1, 2, 3, 4))
A, B, C = (-12.0, 0.0, 0.0), (10.0, 8.0, 3.0), (8.0, -10.0, -6.0)


@pytest.fixture
def mask(drawing, maps, ball):
    """A label image on the FLAIR of a session: number, place at the baseline and radius of each lesion."""

    def make(session, *lesions):
        plane = Plane.flair(session)
        out = np.zeros(drawing.grid(plane).shape, np.uint8)
        for number, centre, radius in lesions:
            at = maps.transform(session, "FLAIR").apply(centre)
            out[ball(drawing.grid(plane), at, radius)] = number
        return out

    return make


def label_at(drawing, maps, session, centre):
    plane = Plane.flair(session)
    at = np.linalg.inv(drawing.grid(plane).affine) @ [*maps.transform(session, "FLAIR").apply(centre), 1]
    return int(drawing.labels(plane)[tuple(np.rint(at[:3]).astype(int))])


def test_one_number_is_told_apart_by_touching_voxels(drawing, maps, mask):
    taken = take_labels(drawing, maps, S1, mask(S1, (1, A, 4.0), (1, B, 5.0), (1, C, 3.0)))
    drawing.apply(taken.edit)
    assert taken.new == (3, 4, 5)
    assert [label_at(drawing, maps, S1, place) for place in (B, A, C)] == [3, 4, 5]
    assert [drawing.lesion(label).lesion_id for label in (3, 4, 5)] == ["01-L003", "01-L004", "01-L005"]
    drawing.undo()
    assert not drawing.labels(Plane.flair(S1)).any()
    assert drawing.lesion(3) is None


def test_numbers_that_are_lesions_are_kept_where_they_are_free(drawing, maps, mask):
    taken = take_labels(drawing, maps, S1, mask(S1, (1, A, 4.0), (7, B, 5.0)))
    drawing.apply(taken.edit)
    assert label_at(drawing, maps, S1, B) == 7
    assert label_at(drawing, maps, S1, A) not in (0, 1, 2, 7)
    again = take_labels(drawing, maps, S1, mask(S1, (1, A, 4.0), (7, B, 5.0)))
    assert again.edit.is_empty
    assert again.new == ()


def test_the_same_lesion_has_one_label_in_all_sessions(drawing, maps, mask):
    drawing.apply(take_labels(drawing, maps, S1, mask(S1, (1, A, 4.0), (2, B, 5.0))).edit)
    labels = [label_at(drawing, maps, S1, place) for place in (A, B)]
    taken = take_labels(drawing, maps, S3, mask(S3, (1, C, 3.5), (2, A, 3.5), (3, B, 5.5)))
    drawing.apply(taken.edit)
    assert [label_at(drawing, maps, S3, place) for place in (A, B)] == labels
    assert taken.new == (label_at(drawing, maps, S3, C),)
    assert taken.new[0] not in labels
    assert "2 of 3 lesions are known" in taken.notes[-1]


def test_what_is_drawn_stays(drawing, maps, mask, drawn):
    drawn(drawing, label=1, centre=A, radius=3.0, session=S2)
    before = drawing.labels(Plane.flair(S2)) == 1
    taken = take_labels(drawing, maps, S2, mask(S2, (5, A, 5.0)))
    drawing.apply(taken.edit)
    assert taken.new == ()
    assert np.all(drawing.labels(Plane.flair(S2))[before] == 1)
    assert np.count_nonzero(drawing.labels(Plane.flair(S2)) == 1) > before.sum()


def test_parts_and_mergers_are_told(drawing, maps, mask):
    drawing.apply(take_labels(drawing, maps, S1, mask(S1, (5, A, 6.0), (6, B, 3.0), (7, (3.5, 8, 3), 3.0))).edit)
    parts = mask(S2, (1, (-15, 0, 0), 2.8), (2, (-8, 0, 0), 2.0), (3, (7, 8, 3), 6.5))
    taken = take_labels(drawing, maps, S2, parts)
    drawing.apply(taken.edit)
    assert label_at(drawing, maps, S2, (-15, 0, 0)) == 5
    assert any("may have split off" in note for note in taken.notes)
    assert any("may have merged" in note for note in taken.notes)


def test_without_a_transform_nothing_is_compared_and_that_is_told(drawing, maps, mask):
    image = mask(S2, (1, A, 4.0))
    del maps.transforms[S2, "FLAIR"]
    taken = take_labels(drawing, maps, S2, image)
    assert taken.new == (3,)
    assert any("could not be compared" in note for note in taken.notes)


def test_masks_that_were_numbered_apart_are_matched(drawing, maps, mask, paint):
    """As they lie on disk after each session's mask was added by itself: equal numbers mean nothing."""
    for session, lesions in {
        S1: [(11, A, 4.0), (12, B, 5.0)],
        S2: [(12, A, 4.0), (11, B, 5.0), (13, C, 4.0)],
        S3: [(11, C, 4.0), (12, A, 3.8)],
    }.items():
        image = mask(session, *lesions)
        for number, *_ in lesions:
            paint(drawing, Plane.flair(session), number, image == number)
    found = match_drawn(drawing, maps)
    drawing.apply(found.edit)
    for session in (S1, S2, S3):
        assert label_at(drawing, maps, session, A) == 11
    assert [label_at(drawing, maps, session, B) for session in (S1, S2)] == [12, 12]
    assert [label_at(drawing, maps, session, C) for session in (S2, S3)] == [13, 13]
    assert {lesion.label for lesion in drawing.lesions} == {1, 2, 11, 12, 13}
    assert (S2, 12, 11) in found.relabelled
    assert match_drawn(drawing, maps).edit.is_empty
    drawing.undo()
    assert label_at(drawing, maps, S2, A) == 12


def test_a_lesion_that_was_worked_on_keeps_its_label(drawing, maps, mask, paint):
    paint(drawing, Plane.flair(S1), 11, mask(S1, (1, A, 4.0)) > 0)
    paint(drawing, Plane.flair(S2), 1, mask(S2, (1, A, 4.0)) > 0)
    paint(drawing, ONSET, 1, np.s_[1:3, 1:3, 1])
    assert match_drawn(drawing, maps).edit.is_empty


def test_tracking_over_sessions(drawing, maps, mask, paint):
    sizes = {S1: {1: (A, 4.0), 2: (B, 4.0)}, S2: {1: (A, 5.5), 2: (B, 4.0)}, S4: {1: (A, 5.5), 3: (C, 4.0)}}
    for session, lesions in sizes.items():
        for label, (place, radius) in lesions.items():
            paint(drawing, Plane.flair(session), label, mask(session, (1, place, radius)) > 0)
    told = []
    found = track(drawing, maps, on_progress=lambda *step: told.append(step))
    assert [(step.earlier, step.later) for step in found.steps] == [(S1, S2), (S2, S4)]
    assert [(session, one.state) for session, one in found.of(1)] == [(S2, "enlarging"), (S4, "stable")]
    assert [(session, one.state) for session, one in found.of(2)] == [(S2, "stable"), (S4, "gone")]
    assert [(session, one.state) for session, one in found.of(3)] == [(S4, "new")]
    assert found.left_out == ((S3, "nothing is drawn on its FLAIR"),)
    assert len(told) == 4
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        track(drawing, maps, cancel=stop)


def test_refusals(drawing, maps):
    with pytest.raises(ShapeMismatchError, match="the mask has shape"):
        take_labels(drawing, maps, S1, np.ones((2, 2, 2)))
    with pytest.raises(InputError, match="is empty"):
        take_labels(drawing, maps, S1, np.zeros(drawing.grid(Plane.flair(S1)).shape))
