"""Atomic writes: what a reader, a crash and another user see."""

from __future__ import annotations

import os
import stat
import sys
import threading

import pytest

from napari_msqsm.io.atomic import atomic_path

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask and locks files that are open")


def write(path, text):
    with atomic_path(path) as temporary:
        temporary.write_text(text)


def test_writes_and_leaves_only_the_file(tmp_path):
    write(tmp_path / "deep" / "er" / "a.txt", "new")
    assert (tmp_path / "deep" / "er" / "a.txt").read_text() == "new"
    assert [path.name for path in (tmp_path / "deep" / "er").iterdir()] == ["a.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_error_leaves_nothing_behind_and_the_old_file_intact(tmp_path, error):
    write(tmp_path / "a.txt", "old")

    def fail(path):
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise error

    for name in ("a.txt", "b.txt"):
        with pytest.raises(error):
            fail(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_file_that_the_writer_removed_is_an_error_and_keeps_the_old(tmp_path):
    write(tmp_path / "a.txt", "old")
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.unlink()
    assert (tmp_path / "a.txt").read_text() == "old"


def test_temporary_file_has_the_same_ending_and_folder(tmp_path):
    with atomic_path(tmp_path / "sub-01_Chimap.nii.gz") as temporary:
        assert temporary.name.endswith("sub-01_Chimap.nii.gz")
        assert temporary.parent == tmp_path
        assert not (tmp_path / "sub-01_Chimap.nii.gz").exists()


def test_longest_name_that_the_file_system_takes(tmp_path):
    name = "x" * 251 + ".txt"
    write(tmp_path / name, "long")
    assert (tmp_path / name).read_text() == "long"


@posix
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_new_file_obeys_the_umask(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write(tmp_path / "a.txt", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == mode


@posix
def test_readers_never_see_a_part(tmp_path):
    path = tmp_path / "a.txt"
    size = 200_000
    write(path, "0" * size)
    seen = []
    stop = threading.Event()

    def read():
        while not stop.is_set():
            seen.append(path.read_text())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for digit in "123456789":
            with atomic_path(path) as temporary, temporary.open("w") as stream:
                for _ in range(10):
                    stream.write(digit * (size // 10))
                    stream.flush()
    finally:
        stop.set()
        reader.join()
    assert seen
    assert all(len(text) == size and len(set(text)) == 1 for text in seen)


@posix
def test_writers_at_the_same_time_leave_one_whole_file(tmp_path):
    path = tmp_path / "a.txt"
    writers = [threading.Thread(target=write, args=(path, digit * 1000)) for digit in "12345678"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    text = path.read_text()
    assert len(text) == 1000
    assert len(set(text)) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]
