from __future__ import annotations

import threading

import pytest

from napari_msqsm.errors import CancelledError, InputError
from napari_msqsm.workflow.tasks import TaskList, TaskState, error_sentence


@pytest.fixture
def tasks():
    listed = TaskList()
    yield listed
    assert listed.shut_down()


def test_a_task_reports_its_progress_and_result(tasks):
    seen, finished = [], []
    tasks.changed.connect(lambda task: seen.append((task.state, task.message, task.fraction)))
    tasks.finished.connect(finished.append)

    def work(on_progress, cancel):
        on_progress("half way", 0.5)
        return 42

    task = tasks.add("answer", work)
    assert task.wait(5)
    assert (task.state, task.result, task.fraction, task.error) == (TaskState.DONE, 42, 1.0, "")
    assert tasks.shut_down()
    assert (TaskState.RUNNING, "half way", 0.5) in seen
    assert finished == [task]


def test_tasks_run_one_at_a_time_in_order(tasks):
    order, gate = [], threading.Event()

    def work(name):
        def run(on_progress, cancel):
            gate.wait(5)
            order.append(name)

        return run

    first, second = tasks.add("a", work("a")), tasks.add("b", work("b"))
    assert second.state is TaskState.QUEUED
    assert tasks.is_busy
    gate.set()
    assert second.wait(5)
    assert first.is_over
    assert order == ["a", "b"]


def test_cancel_stops_a_running_task(tasks):
    started = threading.Event()

    def work(on_progress, cancel):
        started.set()
        assert cancel.wait(5)
        raise CancelledError("cancelled")

    task = tasks.add("long", work)
    assert started.wait(5)
    task.cancel()
    assert task.wait(5)
    assert task.state is TaskState.CANCELLED
    assert task.error == ""


def test_a_queued_task_that_is_cancelled_never_starts(tasks):
    gate, ran = threading.Event(), []
    tasks.add("first", lambda *_: gate.wait(5))
    second = tasks.add("second", lambda *_: ran.append(1))
    second.cancel()
    gate.set()
    assert second.wait(5)
    assert second.state is TaskState.CANCELLED
    assert ran == []


def test_a_failure_is_one_sentence_with_details_and_the_next_task_still_runs(tasks):
    def broken(on_progress, cancel):
        raise InputError("the mask is empty; draw one")

    task = tasks.add("broken", broken)
    after = tasks.add("after", lambda *_: "fine")
    assert after.wait(5)
    assert task.state is TaskState.FAILED
    assert task.error == "the mask is empty; draw one"
    assert "Traceback" in task.details
    assert after.result == "fine"


def test_seconds_left_follow_from_the_fraction(tasks):
    left, gate = [], threading.Event()

    def work(on_progress, cancel):
        on_progress("", 0.01)
        left.append(task.seconds_left)
        gate.wait(0.2)
        on_progress("", 0.5)
        left.append(task.seconds_left)

    task = tasks.add("timed", lambda *given: (gate.wait(0.01), work(*given)))
    assert task.wait(5)
    assert left[0] is None
    assert left[1] == pytest.approx(0.21, rel=0.5)


def test_finished_tasks_can_be_forgotten(tasks):
    task = tasks.add("x", lambda *_: None)
    assert task.wait(5)
    tasks.clear_finished()
    assert list(tasks) == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InputError("no phase"), "no phase"),
        (FileNotFoundError(2, "No such file or directory", "a.nii"), "No such file or directory: a.nii"),
        (MemoryError(), "there is not enough memory"),
        (ZeroDivisionError("division by zero"), "unexpected ZeroDivisionError: division by zero"),
    ],
)
def test_error_sentence(error, said):
    assert error_sentence(error).startswith(said)
    assert "\n" not in error_sentence(error)
