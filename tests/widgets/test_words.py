"""Words of the panels."""

from __future__ import annotations

import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.model.study import Session
from napari_msqsm.widgets.words import (
    images_words,
    session_details,
    state_words,
    task_words,
    time_words,
)
from napari_msqsm.workflow.tasks import TaskList
from napari_msqsm.workspace.status import SessionState, SessionStatus


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
        status(
            missing=("the phase of the GRE",),
            reasons=("a<b>.nii changed since",),
            warnings=("χ is streaky",),
            quality={"snr_first_echo": 3.2, "snr_combined": 7.0},
        ),
    )
    assert text.split("<br>") == [
        "<b>sub-01_ses-02</b>",
        "There: GRE mag+phase, 4 echoes, FLAIR, T1+Gd",
        "Missing: the phase of the GRE",
        "Outdated: a&lt;b&gt;.nii changed since",
        "⚠ χ is streaky",
        "⚠ SNR, first echo 3: a noisy scan, or a mask that holds air",
    ]
