from __future__ import annotations

from dataclasses import replace

import pytest

from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.registration.second_opinion import SecondOpinion
from napari_msqsm.registration.verdict import Level, after_loop, judged

GOOD = SecondOpinion(
    transform=AffineTransform.identity(),
    disagreement_mm=0.1,
    largest_disagreement_mm=0.2,
    correlation=0.8,
    best_correlation=0.8,
    nearby_correlation=0.7,
    chance_correlation=0.25,
    agreeing=0.8,
    overlap=1.0,
    stretch=(0.0, 0.0, 0.0),
    stretch_sd=(0.0005, 0.0005, 0.0005),
    n_blocks=1000,
)


def test_all_is_well():
    verdict = judged(GOOD, same_contrast=True)
    assert verdict.level is Level.OK
    assert verdict.reasons == ("a second opinion agrees within 0.10 mm",)
    assert verdict.remarks == ()


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({"disagreement_mm": 1.0}, Level.LOOK, "1.0 mm elsewhere"),
        ({"largest_disagreement_mm": 1.8}, Level.LOOK, "a part of the brain 1.8 mm"),
        ({"disagreement_mm": 12.0}, Level.FAILED, "12.0 mm elsewhere"),
        ({"disagreement_mm": 12.0, "best_correlation": 0.5}, Level.LOOK, "12.0 mm elsewhere"),
        ({"correlation": 0.4}, Level.LOOK, "little in common"),
        ({"correlation": 0.3, "nearby_correlation": 0.3}, Level.FAILED, "by chance 0.25"),
        ({"overlap": 0.5}, Level.LOOK, "50%"),
        ({"overlap": 0.1}, Level.FAILED, "10%"),
        ({"nearby_correlation": 0.85}, Level.LOOK, "2 mm"),
    ],
)
def test_what_speaks_against_a_transform(changes, level, words):
    verdict = judged(replace(GOOD, **changes), same_contrast=False)
    assert verdict.level is level
    assert words in verdict.reasons[0]


def test_the_weightiest_reason_comes_first():
    verdict = judged(replace(GOOD, overlap=0.5, disagreement_mm=12.0), same_contrast=False, converged=False)
    assert verdict.level is Level.FAILED
    assert "12.0 mm" in verdict.reasons[0]
    assert len(verdict.reasons) == 3


def test_without_a_second_opinion_or_when_unsettled_somebody_has_to_look():
    assert judged(None, same_contrast=True).level is Level.LOOK
    assert judged(GOOD, same_contrast=True, converged=False).level is Level.LOOK


def test_other_gradients_suggest_another_model_where_both_images_can_tell():
    stretched = replace(GOOD, stretch=(-0.003, -0.007, 0.001))
    (remark,) = judged(stretched, same_contrast=True).remarks
    assert "scale9" in remark
    assert "x -0.3 %, y -0.7 %, z +0.1 %" in remark
    assert judged(stretched, same_contrast=True).level is Level.OK
    assert judged(stretched, same_contrast=False).remarks == ()
    assert judged(stretched, same_contrast=True, stretched=True).remarks == ()
    assert judged(replace(GOOD, stretch=(0.0015, 0.0, 0.0)), same_contrast=True).remarks == ()
    assert judged(replace(stretched, stretch_sd=(0.01,) * 3), same_contrast=True).remarks == ()


def test_a_loop_that_does_not_close_asks_for_a_look():
    verdict = judged(GOOD, same_contrast=True)
    assert after_loop(verdict, 0.4, "sub-01_ses-02 MEGRE") == verdict
    open_loop = after_loop(verdict, 1.6, "sub-01_ses-02 MEGRE")
    assert open_loop.level is Level.LOOK
    assert "through sub-01_ses-02 MEGRE leads 1.6 mm elsewhere" in open_loop.reasons[0]
    failed = judged(replace(GOOD, overlap=0.1), same_contrast=True)
    assert after_loop(failed, 1.6, "x").level is Level.FAILED
