"""Boxes about lesions, kept up to date with what is drawn."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_msqsm.model.grid import Grid
from napari_msqsm.workspace.drawing.boxes import LabelBoxes
from napari_msqsm.workspace.drawing.drawing import Drawing
from napari_msqsm.workspace.drawing.edit import Edit, label_index, roi_digest, voxels_set
from napari_msqsm.workspace.drawing.plane import ONSET

SHAPE = (7, 5, 3)


def found_anew(labels):
    return {int(label): LabelBoxes(labels).box(int(label)) for label in np.unique(labels) if label}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 104), min_size=1, max_size=9, unique=True), st.integers(0, 4)), max_size=12
    ),
    st.integers(0, 12),
)
def test_boxes_are_those_that_would_be_found_anew(strokes, n_undone):
    drawing = Drawing("01", {ONSET: Grid(SHAPE, np.eye(4))})
    assert drawing.box(ONSET, 1) is None
    for voxels, label in strokes:
        change = voxels_set(ONSET, drawing.labels(ONSET), np.array(voxels), label)
        if change is not None:
            drawing.apply(Edit("brush", (change,)))
    for _ in range(n_undone):
        drawing.undo()
    labels = drawing.labels(ONSET)
    wanted = found_anew(labels)
    assert drawing.labels_on(ONSET) == tuple(sorted(wanted))
    for label in range(1, 6):
        assert drawing.box(ONSET, label) == wanted.get(label)
        assert drawing.digest(ONSET, label) == roi_digest(labels, label)
        if label in wanted:
            np.testing.assert_array_equal(label_index(labels, label, wanted[label]), label_index(labels, label))


def test_a_box_fits_its_label_and_a_change_of_many_labels_is_looked_at_as_a_whole():
    labels = np.zeros((40, 2, 2), np.uint16)
    labels[3:5, 1, 0] = 7
    boxes = LabelBoxes(labels)
    assert boxes.box(7) == (slice(3, 5), slice(1, 2), slice(0, 1))
    index = np.arange(0, 160, 4)
    before = labels.ravel()[index].copy()
    labels.ravel()[index] = np.arange(1, 41)
    boxes.note(index, before, labels.ravel()[index])
    assert boxes.labels == tuple(range(1, 41))
    assert boxes.box(40) == (slice(39, 40), slice(0, 1), slice(0, 1))
