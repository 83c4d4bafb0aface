"""Onset of lesions of a synthetic patient on disk."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from napari_msqsm.errors import CancelledError, InputError, ParameterError
from napari_msqsm.workflow.drawing.reading import read_drawing
from napari_msqsm.workflow.workbench.maps import PatientMaps
from napari_msqsm.workflow.workbench.onset import at_baseline, lost_by, mark_onset
from napari_msqsm.workflow.workbench.onset_images import lacks_onset_images, onset_images
from napari_msqsm.workflow.workbench.propagate import propagate, propagation_plan
from napari_msqsm.workflow.workbench.propose_onset import propose_onset
from napari_msqsm.workflow.workbench.take_masks import take_file
from napari_msqsm.workspace.drawing.plane import ONSET, Plane

S1, S2, S3, S4 = (f"sub-01_ses-0{number}" for number in (1, 2, 3, 4))


@pytest.fixture
def maps(aligned_study):
    return PatientMaps(aligned_study, "01")


@pytest.fixture
def drawing(aligned_study, maps):
    found = read_drawing(aligned_study, "01", maps=maps)
    found.read_only = ""
    return found


def test_a_new_and_an_old_lesion_are_told_apart(drawing, maps, person):
    old, new = person.lesions
    found = propose_onset(drawing, maps, S3, new.centre)
    assert found.onset == "new"
    assert "like white matter there, as at 1 more" in found.reason
    assert [each.session for each in found.earlier] == [S1, S2]
    assert found.earlier[0].patch.shape == found.patch.shape == found.place.core.shape
    found = propose_onset(drawing, maps, S3, old.centre)
    assert found.onset == "re-enhancing"
    assert S2 in found.reason
    assert propose_onset(drawing, maps, S1, old.centre).onset == "no earlier scan"


def test_an_earlier_drawing_decides(drawing, maps, person):
    new = person.lesions[1]
    at = maps.transform(S1, "FLAIR").apply(new.centre)
    plane = Plane.flair(S1)
    index = np.rint(np.linalg.inv(drawing.grid(plane).affine) @ [*at, 1])[:3].astype(int)
    edit = mark_onset(drawing, maps, S1, new.centre)
    drawing.apply(edit)
    label = edit.lesions[0].after.label
    x, y, z = index
    drawing.labels(plane)[x - 3 : x + 4, y - 3 : y + 4, z - 1 : z + 2] = label
    found = propose_onset(drawing, maps, S3, new.centre)
    assert found.onset == "re-enhancing"
    assert found.earlier[0].drawn == (label,)
    assert drawing.lesion(label).lesion_id in found.reason


def test_without_an_earlier_flair_it_cannot_be_told(drawing, maps, person, monkeypatch):
    known = maps.transform
    monkeypatch.setattr(
        maps, "transform", lambda label, contrast="MEGRE": known(label, contrast) if label == S3 else None
    )
    found = propose_onset(drawing, maps, S3, person.lesions[1].centre)
    assert found.onset is None
    assert "no earlier FLAIR" in found.reason
    assert "not aligned" in found.earlier[0].lacks


def test_subtraction_shows_what_enhances_on_the_grid_of_the_image_after(maps, person):
    old, new = person.lesions
    told = []
    found = onset_images(maps, S3, on_progress=lambda *step: told.append(step))
    assert told[-1] == ("Subtraction", 1.0)
    assert found.scaling.scale == pytest.approx(1.6, rel=0.03)
    step = np.linalg.inv(found.grid.affine) @ maps.contrast_grid(S3, "ce-gadolinium_T1w").affine
    np.testing.assert_allclose(step[:3, :3], np.eye(3), atol=1e-9)

    def at(centre):
        """Median within 3 mm: the vein in the middle of a lesion enhances always."""
        index = np.indices(found.grid.shape).reshape(3, -1)
        places = (found.grid.affine[:3, :3] @ index + found.grid.affine[:3, 3:]).T
        near = np.linalg.norm(places - found.transform.apply(centre), axis=1) < 3.0
        return float(np.median(found.subtraction.reshape(-1)[near]))

    assert at(new.centre) > 8 * found.scaling.noise
    assert abs(at(old.centre)) < 4 * found.scaling.noise
    assert "no brain mask" in found.notes[0]


def test_what_a_subtraction_lacks(maps):
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        onset_images(maps, S3, cancel=stop)
    session = maps.session(S2)
    without = replace(session, contrasts={"FLAIR": session.contrasts["FLAIR"]})
    maps.patient = replace(maps.patient, sessions=(without,))
    assert lacks_onset_images(maps, S2) == f"{S2} has no T1 after gadolinium"
    with pytest.raises(InputError, match="nothing to subtract"):
        onset_images(maps, S2)


def test_marking_makes_a_lesion(drawing, maps):
    point = at_baseline(maps, S3, "ce-gadolinium_T1w", (1.0, 2.0, 30.0))
    np.testing.assert_allclose(maps.transform(S3, "ce-gadolinium_T1w").apply(point), (1, 2, 30), atol=1e-9)
    drawing.apply(mark_onset(drawing, maps, S3, point, onset="new", enhancement="shell"))
    lesion = drawing.lesions[0]
    assert (lesion.label, lesion.lesion_id, lesion.onset_session) == (1, "01-L001", S3)
    assert (lesion.onset, lesion.enhancement) == ("new", "shell")
    assert lesion.onset_point_mm == point
    drawing.undo()
    assert drawing.lesions == ()
    drawing.redo()
    drawing.apply(mark_onset(drawing, maps, S3, point, label=1, onset="re-enhancing"))
    assert (drawing.lesion(1).onset, drawing.lesion(1).enhancement) == ("re-enhancing", "shell")
    with pytest.raises(ParameterError, match="no lesion 7"):
        mark_onset(drawing, maps, S3, point, label=7)
    with pytest.raises(ParameterError, match="is no session"):
        mark_onset(drawing, maps, S4, point)
    with pytest.raises(ParameterError, match="mark it in the image"):
        mark_onset(drawing, maps, S3, (np.nan, 0, 0))
    with pytest.raises(ParameterError, match="not aligned"):
        at_baseline(maps, S3, "T2w", (0, 0, 0))


def test_moving_the_onset_takes_back_what_is_not_after_it_any_more(drawing, maps, monkeypatch):
    drawing.apply(mark_onset(drawing, maps, S1, (0.0, 0.0, 30.0)))
    drawing.labels(ONSET)[20:24, 20:24, 6:8] = 1
    monkeypatch.setattr(maps, "lacks", lambda _: "")
    drawing.apply(propagate(drawing, propagation_plan(drawing, maps, 1)))
    assert drawing.labels_on(Plane.follow_up(S2)) == (1,)
    told = lost_by(drawing, maps, 1, S2)
    assert "propagated region of 01-L001 at sub-01_ses-02 is taken away" in told[0]
    assert "look at it on sub-01_ses-02 again" in told[1]
    drawing.apply(mark_onset(drawing, maps, S2, (0.0, 0.0, 30.0), label=1))
    assert drawing.labels_on(Plane.follow_up(S2)) == ()
    assert drawing.labels_on(Plane.follow_up(S3)) == (1,)
    assert [each.session for each in drawing.follow_ups] == [S3]
    drawing.undo()
    assert drawing.labels_on(Plane.follow_up(S2)) == (1,)
    assert [each.session for each in drawing.follow_ups] == [S2, S3]


def test_masks_on_disk_become_the_same_lesions_at_all_sessions(drawing, maps, aligned_study):
    first = take_file(drawing, maps, S1, aligned_study.root / f"{S1}_mask.nii.gz")
    drawing.apply(first.edit)
    assert first.new == (1,)
    second = take_file(drawing, maps, S3, aligned_study.root / f"{S3}_mask.nii.gz")
    drawing.apply(second.edit)
    assert second.new == (2,)
    assert drawing.labels_on(Plane.flair(S3)) == (1, 2)
    volumes = [np.count_nonzero(drawing.labels(Plane.flair(session)) == 1) for session in (S1, S3)]
    assert volumes[0] == pytest.approx(volumes[1], rel=0.25)
    with pytest.raises(InputError):
        take_file(drawing, maps, S2, aligned_study.root / f"{S1}_mask.nii.gz")
