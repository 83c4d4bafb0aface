"""Drawings as they are read to be measured: what is there, what is told, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError, ShapeMismatchError
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.lesion import FollowUp, Lesion
from napari_msqsm.workflow.drawing.reading import read_drawing
from napari_msqsm.workspace.drawing.plane import NAWM, ONSET, VEIN, Plane
from workflow.drawing.small_patient import FLAIR, GRE, SESSIONS, blocks

ONE = Plane.flair(SESSIONS[0])


def test_a_patient_without_drawings_has_empty_planes_on_the_right_grids(study):
    drawing = read_drawing(study, "01")
    assert set(drawing.planes) == {
        *(Plane.flair(label) for label in SESSIONS),
        *(Plane.follow_up(label) for label in SESSIONS),
        *(ONSET, VEIN, NAWM),
    }
    assert drawing.grid(ONE).same_as(FLAIR)
    assert drawing.grid(ONSET).same_as(GRE)
    assert not drawing.labels(ONSET).any()
    assert drawing.notes == ()
    assert drawing.next_label() == 1


def test_adopted_masks_are_lesions_and_that_is_told(study, put):
    put(ONE, blocks(FLAIR.shape, 3, 7))
    drawing = read_drawing(study, study.patients[0])
    np.testing.assert_array_equal(drawing.labels(ONE), blocks(FLAIR.shape, 3, 7))
    assert [lesion.lesion_id for lesion in drawing.lesions] == ["01-L003", "01-L007"]
    assert "2 labels (3, 7)" in drawing.notes[0]
    assert "no table" in drawing.notes[0]
    assert drawing.next_label() == 8


def test_masks_that_number_their_lesions_for_themselves_are_told(study, put):
    for session in SESSIONS[:2]:
        path = put(Plane.flair(session), blocks(FLAIR.shape, 1))
        path.with_name(path.name.replace(".nii.gz", ".json")).write_text('{"Adopted": true}', "utf-8")
    assert "masks of sub-01_ses-01, sub-01_ses-02 were taken from elsewhere" in read_drawing(study, "01").notes[-1]


def test_rows_and_labels_without_row(study, put, places):
    put(places.lesions, "lesion_id\tonset_session_id\tcentral_vein\n01-L007\t02\tyes\n01-L003\tn/a\n")
    put(ONSET, blocks(GRE.shape, 4, 7))
    put(VEIN, blocks(GRE.shape, 9))
    drawing = read_drawing(study, "sub-01")
    assert drawing.lesion(7) == Lesion(7, "01-L007", onset_session=SESSIONS[1], central_vein=True)
    assert drawing.lesion(3) == Lesion(3, "01-L003")
    assert drawing.lesion(4) == Lesion(4, "01-L004")
    assert drawing.lesion(9) is None
    assert "1 label (4)" in drawing.notes[0]
    assert drawing.next_label() == 10


def test_a_new_name_is_not_one_that_another_lesion_has(study, put, places):
    put(places.lesions, "lesion_id\tlabel\n01-L004\t7\n")
    put(ONSET, blocks(GRE.shape, 4))
    assert read_drawing(study, "01").lesion(4) == Lesion(4, "01-L004b")


def test_follow_ups(study, put, places):
    put(places.follow_ups, "lesion_id\tsession\treviewed_by\n01-L003\tses-02\tAB\n")
    assert read_drawing(study, "01").follow_ups == (FollowUp(3, SESSIONS[1], reviewed_by="AB"),)


def test_a_drawing_that_was_read_cannot_be_drawn_on(study):
    with pytest.raises(InputError, match="open the patient"):
        read_drawing(study, "01").undo()


def test_rounding_of_a_header_is_no_other_grid(study, put):
    rounded = Grid(FLAIR.shape, np.round(FLAIR.affine + 4e-4, 3))
    put(ONE, blocks(FLAIR.shape, 1), rounded)
    assert read_drawing(study, "01").labels(ONE).any()


@pytest.mark.parametrize(
    ("labels", "grid", "kind", "words"),
    [
        (blocks(FLAIR.shape, 1), Grid(FLAIR.shape, FLAIR.affine @ np.diag([1, 1, 1.01, 1])), None, "another position"),
        (blocks((8, 9, 8), 1), Grid((8, 9, 8), FLAIR.affine), ShapeMismatchError, r"shape \(8, 9, 8\)"),
        (blocks(FLAIR.shape, 1).astype(int) * 70_000, None, InputError, "0 to 65535"),
        (-blocks(FLAIR.shape, 1).astype(int), None, InputError, "from -1 to 0"),
        (blocks(FLAIR.shape, 1) * 0.5, None, InputError, "whole numbers"),
    ],
)
def test_label_images_that_cannot_be_used(study, put, labels, grid, kind, words):
    put(ONE, labels, grid, dtype=labels.dtype if labels.dtype.kind == "f" else np.int32)
    with pytest.raises(kind or ShapeMismatchError, match=words):
        read_drawing(study, "01")


def test_an_image_that_changes_after_opening_is_not_read(study, put):
    put(ONE, blocks(FLAIR.shape, 1))
    drawing = read_drawing(study, "01")
    put(ONE, blocks(FLAIR.shape, 2))
    with pytest.raises(InputError, match="open the patient again"):
        drawing.labels(ONE)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lesion_id\tlabel\nA1\t1\nA2\t1\n", "twice"),
        ("lesion_id\tlabel\nA\t1\nA\t2\n", "twice"),
        ("lesion_id\nA\n", "number from 1 to 65535"),
        ("label\n0\n", "number from 1 to 65535"),
        ("label\ninf\n", "number from 1 to 65535"),
        (
            "label\tonset_session\n1\tses-09\n",
            "'ses-09', which the patient does not have; it has ses-01, ses-02, ses-03",
        ),
        ("label\tenhancement\n1\tring\n", "nodular, shell or n/a"),
        ("label\tcentral_vein\n1\tmaybe\n", "give 1, 0 or n/a"),
        ("label\tonset_x_mm\n1\t3\n", "three numbers"),
        ("label\tlabel\n1\t1\n", "twice"),
        ("label\n1\t2\n", "2 cells in row 2"),
    ],
)
def test_tables_that_cannot_be_used(study, put, places, text, words):
    put(places.lesions, text)
    with pytest.raises(InputError, match=words) as caught:
        read_drawing(study, "01")
    assert "\n" not in str(caught.value)
