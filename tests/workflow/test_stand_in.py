"""The true lesions of a synthetic study as a reader's drawing."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from napari_msqsm.io.bids import open_study
from napari_msqsm.io.tables import write_table
from napari_msqsm.workflow.drawing.reading import read_drawing
from napari_msqsm.workflow.measure.study import measure_study
from napari_msqsm.workflow.stand_in import draw_truth
from napari_msqsm.workspace.drawing.plane import ONSET, Plane
from workflow.measure.known_study import S1, S2, S3, make

NAME = "space-FLAIR_desc-lesions_dseg.nii.gz"


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    """The known study without drawings, but with the truth beside it."""
    disk = make(tmp_path_factory.mktemp("stand-in") / "study")
    truth = disk.root / "derivatives" / "truth"
    for session in (S1, S2, S3):
        folder = truth.joinpath(*session.split("_")) / "anat"
        folder.mkdir(parents=True)
        shutil.move(disk.anat(session) / f"{session}_{NAME}", folder / f"{session}_{NAME}")
        (disk.anat(session) / f"{session}_space-baseline_desc-lesions_dseg.nii.gz").unlink(missing_ok=True)
    shutil.rmtree(disk.places.home / "anat")
    disk.places.lesions.unlink()
    disk.places.follow_ups.unlink()
    onsets = {1: "ses-01", 2: "ses-02", 3: "ses-01"}
    rows = [
        {
            "lesion_id": n,
            "session_id": s,
            "enhancement": "shell",
            "central_vein": n % 2,
            "enhances": int(onsets[n] == s),
        }
        for s in ("ses-01", "ses-02", "ses-03")
        for n in (1, 2, 3)
    ]
    write_table(truth / "sub-01" / "sub-01_lesions.tsv", pd.DataFrame(rows))
    return disk


def test_goes_the_way_of_a_reader(synthetic):
    study = synthetic.study
    drawn = draw_truth(study, "01")
    assert (drawn.lesions, drawn.notes) == (3, ())
    drawing = read_drawing(study, "01")
    assert [lesion.onset_session for lesion in drawing.lesions] == [S1, S2, S1]
    assert [lesion.onset for lesion in drawing.lesions] == ["no earlier scan", "new", "no earlier scan"]
    assert [lesion.central_vein for lesion in drawing.lesions] == [True, False, True]
    assert drawing.labels_on(Plane.flair(S1)) == (1, 3)
    assert drawing.labels_on(ONSET) == (1, 2, 3)
    assert drawing.labels_on(Plane.follow_up(S2)) == (1, 3)
    assert drawing.labels_on(Plane.follow_up(S3)) == (1, 2, 3)
    assert all(not each.reviewed for each in drawing.follow_ups)
    assert all(drawing.lesion(label).carried == drawing.digest(ONSET, label) for label in (1, 2, 3))
    rows = measure_study(study, look_for_shifts=False).tables[0].rows
    assert all(row.chi_ppb is not None for row in rows)
    chi = {n: np.mean([row.chi_ppb for row in rows if row.lesion_id == f"01-L00{n}"]) for n in (1, 2)}
    assert chi[1] > chi[2] + 5  # 40 and 25 ppb above the white matter, at coarse voxels
    again = draw_truth(study, "01")
    assert again.lesions == 0  # what is drawn stays


def test_a_study_without_truth(synthetic, tmp_path):
    copy = shutil.copytree(synthetic.root / "sub-01", tmp_path / "study" / "sub-01").parent
    assert draw_truth(open_study(copy), "01").lesions == 0
    assert not (copy / "derivatives").exists()
