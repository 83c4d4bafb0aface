"""An open drawing: the lock, the files, the journal, and what was not saved."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.workflow.drawing.reading import read_drawing
from napari_msqsm.workspace.drawing.plane import ONSET, Plane
from workflow.drawing.small_patient import FLAIR, SESSIONS, content, crash, draw, history, stroke

ONE = Plane.flair(SESSIONS[0])


def test_what_is_saved_is_read_again(opened, study, places):
    work = opened()
    assert work.held_by is None
    draw(work, 60)
    kept = content(work.drawing)
    written = work.save()
    assert work.unsaved == 0
    assert places.lesions in written
    assert content(read_drawing(study, "01")) == kept
    work.close()
    again = opened()
    assert again.recovery is None
    assert content(again.drawing) == kept
    assert again.save() == ()


def test_files_are_bids(opened, places):
    work = opened()
    work.drawing.apply(stroke(work.drawing, ONE, 1, range(20)))
    work.save()
    path = places.plane(ONE)
    image = nib.load(path)
    assert image.get_data_dtype() == np.uint16
    np.testing.assert_allclose(image.affine, FLAIR.affine, atol=1e-6)
    sidecar = json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text("utf-8"))
    assert sidecar["SpatialReference"] == "bids:raw:sub-01/ses-01/anat/sub-01_ses-01_FLAIR.nii.gz"
    assert sidecar["Lesions"] == [{"Label": 1, "Name": "n/a", "Voxels": 20, "Volume": pytest.approx(20, rel=0.02)}]
    assert not places.plane(ONSET).exists()
    ignored = (places.root / ".bidsignore").read_text("utf-8")
    for name in ("_journal/**", "sub-*.lock", "_audit.tsv", "_lesions.tsv", "_followups.tsv"):
        assert name in ignored


@pytest.mark.parametrize("seed", range(4))
def test_what_was_not_saved_comes_back_with_its_history(opened, seed):
    work = opened()
    draw(work, 25, seed)
    work.save()
    draw(work, 25, seed + 100)
    kept, steps = content(work.drawing), history(work.drawing)
    n = work.unsaved
    crash(work)
    again = opened("CD")
    assert again.recovery.n_edits == n
    assert again.recovery.by == ("AB",)
    with pytest.raises(InputError, match="recover them or set them aside first"):
        again.drawing.undo()
    told = []
    again.drawing.changed.connect(lambda edit, how: told.append((edit, how)))
    again.recover()
    assert len(told) == 1
    assert content(again.drawing) == kept
    assert history(again.drawing) == steps
    assert again.unsaved == n
    crash(again)
    third = opened("EF")
    assert third.recovery.n_edits == n
    third.recover()
    while third.drawing.undo():
        pass
    third.save()
    third.close()
    assert not any(any(array) for array in content(opened().drawing)[0].values())
