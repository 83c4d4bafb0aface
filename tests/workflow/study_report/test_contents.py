"""Sessions × contrasts."""

from __future__ import annotations

import pytest

from napari_msqsm.workflow.study_report.contents import contents_of


def test_what_there_is_of_each_session(made):
    made.visit("01", "01", "2018-01-01T10:00:00", contrasts=("FLAIR", "ce-gadolinium_T1w"))
    made.visit("01", "02", "2019-07-02T10:00:00", parts=("mag",), contrasts=())
    made.map("sub-01_ses-01")
    first, second = contents_of(made.study)
    assert first.images == {"GRE": "2 echoes", "FLAIR": "yes", "T1w": "", "ce-gadolinium_T1w": "yes", "T2w": ""}
    assert (first.qsm, first.years, first.can_have_qsm) == ("made", 0.0, True)
    assert second.images["GRE"] == "2 echoes, no phase"
    assert second.years == pytest.approx(1.5, abs=0.01)
    assert not second.can_have_qsm
    assert second.as_json()["images"]["FLAIR"] is None


def test_maps_and_masks_of_others_are_told(made):
    made.visit("01", "01")
    made.map("sub-01_ses-01", Adopted=True)
    home = made.root / "derivatives" / "msqsm" / "sub-01" / "ses-01" / "anat"
    made.image(home / "sub-01_ses-01_desc-givenbrain_mask.nii.gz", {})
    made.image(home / "sub-01_ses-01_space-FLAIR_desc-lesions_dseg.nii.gz", {})
    (home / "sub-01_ses-01_from-FLAIR_to-baseline_mode-image_xfm.txt").write_text("x")
    (row,) = contents_of(made.study)
    assert row.qsm == "taken over"
    assert row.masks == ("brain mask", "lesions on FLAIR")
    assert row.aligned == {"FLAIR": "unknown"}
    assert row.years is None
