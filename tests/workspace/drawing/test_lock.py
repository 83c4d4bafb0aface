"""One window draws on a patient; the others are told who it is."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from napari_msqsm.workspace.drawing import lock as lock_module
from napari_msqsm.workspace.drawing.lock import Lock, holder_of, take


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sub-01" / "sub-01.lock"


def left_by(path, **cells):
    """A lock of somebody else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = {
        "token": "f" * 32,
        "initials": "CD",
        "host": socket.gethostname(),
        "pid": os.getppid(),
        "started": "",
        "since": "2024-05-06T07:08:09+00:00",
    }
    path.write_text(json.dumps(holder | cells), "utf-8")


def silent_for(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


def gone_process():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_the_first_one_has_it_and_the_second_is_told_who(path):
    lock, before = take(path, "AB")
    assert isinstance(lock, Lock)
    assert before is None
    none, holder = take(path, "CD")
    assert none is None
    assert (holder.initials, holder.pid, holder.host) == ("AB", os.getpid(), socket.gethostname())
    assert holder.sentence.startswith("AB has this patient open in another window on this computer since 2")
    lock.release()
    assert not path.exists()
    again, before = take(path, "CD")
    assert before is None
    again.release()
    assert list(path.parent.iterdir()) == []


def test_a_process_that_lives_holds_it_however_silent(path):
    left_by(path)
    silent_for(path, 10_000)
    assert take(path, "AB")[0] is None


@pytest.mark.parametrize("more", [{"pid": 0}, {"started": "1"}])
def test_a_process_that_has_ended_is_followed(path, more):
    left_by(path, **({"pid": gone_process()} if more == {"pid": 0} else more))
    lock, before = take(path, "AB")
    assert before.initials == "CD"
    assert holder_of(path).initials == "AB"
    lock.release()


def test_a_window_of_this_process_that_was_forgotten_is_followed(path):
    left_by(path, pid=os.getpid())
    lock, before = take(path, "AB")
    assert lock is not None
    assert before.initials == "CD"
    lock.release()


@pytest.mark.parametrize(("silence_s", "free"), [(0, False), (100, False), (130, True)])
def test_another_computer_counts_by_its_heartbeat(path, silence_s, free):
    left_by(path, host="scanner-7")
    silent_for(path, silence_s)
    lock, holder = take(path, "AB")
    assert (lock is not None) == free
    assert holder.initials == "CD"
    assert "on scanner-7 since 2024-05-06 07:08 UTC" in holder.sentence
    if lock:
        lock.release()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"token": "x"}'])
@pytest.mark.parametrize(("silence_s", "free"), [(0, False), (130, True)])
def test_a_lock_that_cannot_be_read_counts_by_its_heartbeat(path, text, silence_s, free):
    left_by(path)
    path.write_text(text, "utf-8")
    silent_for(path, silence_s)
    lock, holder = take(path, "AB")
    assert (lock is not None) == free
    assert holder.sentence == "somebody has this patient open on another computer"
    if lock:
        lock.release()


@pytest.mark.parametrize("left", [False, True])
def test_of_many_that_race_one_wins(path, left):
    path.parent.mkdir(parents=True)
    for _ in range(10):
        if left:
            left_by(path, pid=gone_process())
        start, found = threading.Barrier(8), []

        def race(start=start, found=found):
            start.wait()
            found.append(take(path, "AB")[0])

        threads = [threading.Thread(target=race) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = [lock for lock in found if lock is not None]
        assert len(winners) == 1
        assert holder_of(path).token == winners[0].holder.token
        winners[0].release()
        assert [each.name for each in path.parent.iterdir()] == []


def test_a_taking_over_that_was_cut_off_is_taken_over_as_well(path):
    left_by(path, pid=gone_process())
    left_by(path.with_name(f"{path.name}.ffffffff"), token="e" * 32, pid=gone_process())
    lock, before = take(path, "AB")
    assert before.token == "f" * 32
    lock.release()
    assert list(path.parent.iterdir()) == []


def test_a_heartbeat_renews_and_notices_who_took_it(path, monkeypatch):
    monkeypatch.setattr(lock_module, "_BEAT_S", 0.0)
    lock, _ = take(path, "AB")
    silent_for(path, 1000)
    assert lock.beat() is None
    assert time.time() - path.stat().st_mtime < 100
    path.unlink()
    assert lock.beat() is None
    assert holder_of(path) == lock.holder
    left_by(path)
    assert lock.beat().initials == "CD"
    lock.release()
    assert holder_of(path).initials == "CD"


def test_disks_without_links_are_locked_by_exclusive_creation(path, monkeypatch):
    def no_links(*_):
        raise PermissionError("not supported")

    monkeypatch.setattr(os, "link", no_links)
    lock, _ = take(path, "AB")
    assert take(path, "CD")[0] is None
    lock.release()
