"""Drawings: one undo for everything, whole edits or none, and an edit that costs what its voxels cost."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_msqsm.errors import InputError, ParameterError, ShapeMismatchError
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.lesion import MOST_LESIONS, Lesion
from napari_msqsm.workspace.drawing.drawing import Drawing
from napari_msqsm.workspace.drawing.edit import Edit, LesionChange, VoxelChange, voxels_set
from napari_msqsm.workspace.drawing.plane import ONSET, VEIN, Plane
from workflow.drawing.small_patient import GRE, content, draw_at_random, history, stroke
from workspace.drawing.small_drawing import small


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_undo_restores_every_state_and_redo_brings_it_back(seed, n):
    drawing, rng = small(), np.random.default_rng(seed)
    states = [content(drawing)]
    while len(states) <= n:
        before = len(drawing.history.done)
        draw_at_random(drawing, rng)
        drawing.history.replace(drawing.history.done)  # steps that were taken back are not counted here
        if len(drawing.history.done) == before + 1:
            states.append(content(drawing))
        elif len(drawing.history.done) < before:
            states.pop()
    for state in reversed(states[:-1]):
        drawing.undo()
        assert content(drawing) == state
    assert drawing.undo() is None
    for state in states[1:]:
        drawing.redo()
        assert content(drawing) == state
    assert drawing.redo() is None


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_events_are_enough_to_follow_a_drawing(seed):
    drawing, follower, rng = small(), small(), np.random.default_rng(seed)
    drawing.changed.connect(lambda edit, _: follower.apply(edit))
    for _ in range(30):
        draw_at_random(drawing, rng)
    assert content(follower) == content(drawing)


def test_a_new_step_ends_what_could_be_done_again():
    drawing = small()
    drawing.apply(stroke(drawing, ONSET, 1, [1, 2]))
    drawing.undo()
    assert drawing.can_redo == "brush 1"
    drawing.apply(stroke(drawing, ONSET, 2, [1]))
    assert drawing.can_redo == ""
    assert drawing.redo() is None


def test_the_oldest_steps_go_when_memory_is_short():
    one = stroke(small(), ONSET, 1, range(100)).n_bytes
    drawing = small(most_bytes=3 * one)
    for label in range(1, 8):
        drawing.apply(stroke(drawing, ONSET, label, range(100)))
    assert [edit.title for edit in drawing.history.done] == ["brush 5", "brush 6", "brush 7"]
    drawing.undo()
    drawing.redo()
    assert len(drawing.history.done) == 3
    drawing.apply(stroke(drawing, VEIN, 9, range(360)))
    assert [edit.title for edit in drawing.history.done] == ["brush 9"]


def test_an_edit_bears_who_and_when_and_an_empty_one_is_none():
    drawing = small()
    done = drawing.apply(stroke(drawing, ONSET, 1, [3]))
    assert done.by == "AB"
    assert done.at.endswith("+00:00")
    drawing.apply(Edit("nothing"))
    assert drawing.history.done == (done,)


def test_a_stroke_that_a_tool_wrote_is_taken():
    drawing = small()
    edit = stroke(drawing, ONSET, 4, [7, 9])
    drawing.labels(ONSET).reshape(-1)[[7, 9]] = 4
    drawing.take(edit)
    assert drawing.voxels(ONSET, 4).tolist() == [7, 9]
    drawing.undo()
    assert not drawing.labels(ONSET).any()


def test_read_only_refuses_and_gives_a_tool_its_voxels_back():
    drawing = small()
    edit = stroke(drawing, ONSET, 4, [7, 9])
    drawing.read_only = "AB has this patient open"
    drawing.labels(ONSET).reshape(-1)[[7, 9]] = 4
    assert drawing.box(ONSET, 4) is not None
    for call in (lambda: drawing.take(edit), lambda: drawing.apply(edit), drawing.undo, drawing.redo):
        with pytest.raises(InputError, match="AB has this patient open"):
            call()
    assert not drawing.labels(ONSET).any()
    assert drawing.box(ONSET, 4) is None
    assert drawing.history.done == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (VoxelChange(VEIN, np.array([1]), np.array([5], np.uint16), np.array([1], np.uint16)), "do it again"),
        (VoxelChange(VEIN, np.array([1, 1]), np.zeros(2, np.uint16), np.ones(2, np.uint16)), "twice"),
        (VoxelChange(VEIN, np.array([360]), np.zeros(1, np.uint16), np.ones(1, np.uint16)), "outside"),
        (VoxelChange(VEIN, np.array([-1]), np.zeros(1, np.uint16), np.ones(1, np.uint16)), "outside"),
        (VoxelChange(VEIN, np.array([1]), np.zeros(2, np.uint16), np.ones(2, np.uint16)), "as many of each"),
    ],
)
def test_an_edit_that_could_not_be_taken_back_is_refused_whole(change, words):
    drawing = small()
    good = stroke(drawing, ONSET, 1, [1, 2, 3]).voxels
    before = content(drawing)
    with pytest.raises(ParameterError, match=words):
        drawing.apply(Edit("both", (*good, change), (LesionChange(None, Lesion(1, "01-L001")),)))
    assert content(drawing) == before
    assert drawing.history.done == ()


def test_labels_are_never_used_again():
    drawing = small(lesions=(Lesion(3, "01-L003"),), highest_label=5)
    assert drawing.next_label() == 6
    lesion = Lesion(6, "01-L006")
    drawing.apply(Edit("new", lesions=(LesionChange(None, lesion),)))
    drawing.apply(Edit("away", lesions=(LesionChange(lesion, None),)))
    assert drawing.next_label() == 7
    drawing.apply(Edit("last", lesions=(LesionChange(None, replace(lesion, label=MOST_LESIONS)),)))
    with pytest.raises(ParameterError, match="65535 lesions"):
        drawing.next_label()


def test_stored_labels_of_another_shape():
    drawing = small(load=lambda _: np.zeros((2, 2, 2), np.uint16))
    with pytest.raises(ShapeMismatchError, match=r"shape \(2, 2, 2\) but its image"):
        drawing.labels(ONSET)


def test_planes_are_read_once_and_not_shared():
    read, stored = [], np.zeros(GRE.shape, np.uint16)
    stored.setflags(write=False)
    drawing = small(load=lambda plane: read.append(plane) or stored)
    drawing.apply(stroke(drawing, ONSET, 1, [0]))
    assert drawing.labels(ONSET) is drawing.labels(ONSET)
    assert read == [ONSET]
    assert not stored.any()


def test_hundreds_of_lesions_at_many_sessions_stay_quick():
    """What an edit costs does not depend on the images: 300 lesions, 10 sessions, 10 million voxels each."""
    large = Grid((220, 256, 180), np.eye(4))
    planes = [Plane.follow_up(f"sub-01_ses-{n:02d}") for n in range(10)]
    shared = np.zeros(large.shape, np.uint16)
    at = np.random.default_rng(0).integers(20, 160, size=(300, 3))
    for label, (x, y, z) in enumerate(at, start=1):
        shared[x : x + 8, y : y + 8, z : z + 4] = label
    drawing = Drawing("01", dict.fromkeys(planes, large), load=lambda plane: shared if plane == planes[0] else None)
    box = np.ravel_multi_index(np.mgrid[60:68, 60:68, 60:64].reshape(3, -1), large.shape)
    drawing.box(planes[0], 1)

    def work():
        drawing.apply(Edit("brush", (voxels_set(planes[0], drawing.labels(planes[0]), box, 301),)))
        drawing.digest(planes[0], 301)
        drawing.undo()

    times = []
    for _ in range(20):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    assert np.median(times) < 5e-3
    assert history(drawing)[0] == ()
