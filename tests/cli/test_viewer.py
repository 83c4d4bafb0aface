from __future__ import annotations

import subprocess
import sys

import pytest

from napari_msqsm.cli import viewer


@pytest.fixture
def linux(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(viewer.importlib.util, "find_spec", lambda name: name)
    return monkeypatch


def test_no_screen_is_a_reason_and_not_a_failure(linux, tmp_path):
    linux.delenv("DISPLAY", raising=False)
    linux.setattr(subprocess, "run", lambda *_, **__: pytest.fail("napari was started"))
    assert viewer.open_viewer(tmp_path) == "there is no screen"


def test_no_napari_is_a_reason(linux, tmp_path):
    linux.setenv("DISPLAY", ":0")
    linux.setattr(viewer.importlib.util, "find_spec", lambda _: None)
    assert "not installed" in viewer.open_viewer(tmp_path)


def test_napari_opens_the_study_with_our_reader(linux, tmp_path):
    linux.setenv("DISPLAY", ":0")
    started = []

    def run(command, **_):
        started.append(command)
        return subprocess.CompletedProcess(command, 0)

    linux.setattr(subprocess, "run", run)
    assert viewer.open_viewer(tmp_path) == ""
    assert started[0][:3] == [sys.executable, "-m", "napari"]
    assert str(tmp_path) in started[0]


def test_a_napari_that_cannot_start_is_a_reason(linux, tmp_path):
    linux.setenv("DISPLAY", ":0")

    def run(*_, **__):
        raise OSError("exec format error")

    linux.setattr(subprocess, "run", run)
    assert "exec format error" in viewer.open_viewer(tmp_path)
