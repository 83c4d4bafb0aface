"""Words of the panels."""

from __future__ import annotations

import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.model.study import Session
from napari_msqsm.widgets.words import (
    as_text,
    from_text,
    images_words,
    label_of,
    session_details,
    state_words,
    task_words,
    time_words,
)
from napari_msqsm.workflow.tasks import TaskList
from napari_msqsm.workspace.status import SessionState, SessionStatus


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("inversion.lambda_csf", "λ CSF"),
        ("brain_mask.threshold", "Brain mask threshold"),
        ("inversion.threshold", "TKD threshold"),
        ("background.margin_mm", "Margin"),
        ("background.cg_max_iter", "CG max iter"),
        ("csf_mask", "CSF mask"),
        ("csf_mask.max_r2star_hz", "CSF: largest R2*"),
        ("r2star.max_r2star_hz", "Largest R2*"),
    ],
)
def test_labels_are_words_without_units(name, label):
    assert label_of(name) == label


@pytest.mark.parametrize("value", [True, False, 5.0, 1e-4, 7, (12.0, 8.0, 5.0), "csf"])
def test_text_of_a_value_gives_the_value_back(value):
    text = as_text(value)
    back = from_text(text, text)
    assert (float(back) if isinstance(value, int | float) and not isinstance(value, bool) else back) == value


def test_an_empty_list_is_a_value():
    assert from_text("", "12, 8") == ()


def test_a_list_of_words_is_refused():
    with pytest.raises(ParameterError, match="not a list of numbers"):
        from_text("5, six", "5, 6")


@pytest.mark.parametrize(("seconds", "words"), [(7.4, "0:07"), (67, "1:07"), (3727, "1:02:07")])
def test_time_is_written_as_on_a_clock(seconds, words):
    assert time_words(seconds) == words


def test_a_task_says_how_it_ended():
    tasks = TaskList()

    def fails(on_progress, cancel):
        raise ParameterError("no voxel is left; lower the radius")

    done, failed = tasks.add("one", lambda *_: 1), tasks.add("two", fails)
    assert done.wait(5)
    assert failed.wait(5)
    assert task_words(done) == "one: done in 0:00"
    assert task_words(failed) == "two: no voxel is left; lower the radius"


def status(**changes):
    values = {
        "state": SessionState.READY,
        "there": ("GRE mag+phase, 4 echoes", "FLAIR", "ce-gadolinium_T1w"),
        "missing": (),
        "reasons": (),
        "warnings": (),
        "next_step": "Reconstruct this session.",
    }
    return SessionStatus(**(values | changes))


def test_the_tree_names_contrasts_shortly():
    assert images_words(status()) == "GRE, FLAIR, T1+Gd"
    assert images_words(status(there=("GRE mag, 3 echoes",))) == "GRE mag"
    assert images_words(status(there=())) == "none"


@pytest.mark.parametrize("state", list(SessionState))
def test_every_state_has_words(state):
    assert state_words(status(state=state))


def test_details_tell_all_and_take_names_literally():
    session = Session("01", "02", None, ())
    text = session_details(
        session,
        status(missing=("the phase of the GRE",), reasons=("a<b>.nii changed since",), warnings=("χ is streaky",)),
    )
    assert text.split("<br>") == [
        "<b>sub-01_ses-02</b>",
        "There: GRE mag+phase, 4 echoes, FLAIR, T1+Gd",
        "Missing: the phase of the GRE",
        "Outdated: a&lt;b&gt;.nii changed since",
        "⚠ χ is streaky",
    ]
