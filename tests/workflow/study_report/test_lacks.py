"""What each analysis lacks."""

from __future__ import annotations

import json

from napari_msqsm.workflow.study_report.contents import contents_of
from napari_msqsm.workflow.study_report.lacks import lacks_of


def said(made):
    return [str(lack) for lack in lacks_of(made.study, contents_of(made.study))]


def has(sentences, *words):
    return any(all(word in sentence for word in words) for sentence in sentences)


def test_everything_that_is_missing_is_named_with_its_analysis(made):
    made.visit("01", "01", "2018-01-01T10:00:00")
    made.visit("01", "02", parts=("mag",), contrasts=())
    sentences = said(made)
    assert has(sentences, "QSM: no phase", "sub-01_ses-02")
    assert has(sentences, "QSM: can be reconstructed", "sub-01_ses-01")
    assert has(sentences, "Coregistration: no FLAIR", "sub-01_ses-02")
    assert has(sentences, "Coregistration: not aligned", "sub-01_ses-01, sub-01_ses-02")
    assert has(sentences, "Lesion table: no date", "sub-01_ses-02")
    assert has(sentences, "Lesion table: fewer than 3 sessions with QSM", "sub-01")
    assert has(sentences, "Lesion table: no T1w after gadolinium")
    assert has(sentences, "Lesion table: no lesions drawn")
    assert has(sentences, "Growth model: no age")
    assert has(sentences, "Growth model: no disease duration")
    assert not has(sentences, "no edss")
    assert not has(sentences, "no sex")
    assert has(sentences, "Growth model: 0 of 1 patients")


def test_a_year_and_three_sessions(made):
    for session, date in (("01", "2018-01-01"), ("02", "2018-06-01"), ("03", "2018-12-01")):
        made.visit("01", session, f"{date}T10:00:00")
        made.visit("02", session, f"{date.replace('2018-12', '2019-03')}T10:00:00")
    sentences = said(made)
    assert has(sentences, "no QSM more than 1 year after the first: sub-01")
    assert not has(sentences, "no QSM more than 1 year", "sub-02")
    assert not has(sentences, "fewer than 3 sessions")
    assert has(sentences, "1 of 2 patients can have 3 QSM")


def test_many_places_are_counted(made):
    for number in range(7):
        made.visit(f"{number:02d}", "01", contrasts=())
    assert has(said(made), "no FLAIR", "and 3 more")


def test_a_scan_after_gadolinium_is_told(made):
    made.visit("01", "01", PostGadolinium=True)
    assert has(said(made), "after gadolinium, which raises χ", "sub-01_ses-01")


def test_doubtful_alignments_are_told_until_a_person_accepts_them(made):
    made.visit("01", "01")
    xfm = made.root / "derivatives" / "msqsm" / "sub-01" / "ses-01" / "anat"
    xfm /= "sub-01_ses-01_from-FLAIR_to-baseline_mode-image_xfm.txt"
    xfm.parent.mkdir(parents=True)
    xfm.write_text("x")
    record = {"Verdict": {"Level": "look"}, "Checked": {"By": None}}
    xfm.with_suffix(".json").write_text(json.dumps(record), "utf-8")
    assert has(said(made), "Coregistration: doubtful", "sub-01_ses-01 FLAIR")
    record["Checked"]["By"] = "AB"
    xfm.with_suffix(".json").write_text(json.dumps(record), "utf-8")
    assert not has(said(made), "doubtful")
    assert not has(said(made), "not aligned")
