from __future__ import annotations

import json
import shutil
import sys
import types

import pytest

from napari_msqsm.cli import viewer


@pytest.fixture
def demo(msqsm, bids, monkeypatch, tmp_path):
    """Run ``msqsm demo`` with the tiny study in place of the bundled one."""
    shutil.rmtree(bids / "sub-01" / "ses-02")
    sample = types.ModuleType("napari_msqsm.phantom.sample")
    sample.copy_sample_study = lambda _: bids
    monkeypatch.setitem(sys.modules, "napari_msqsm.phantom.sample", sample)
    monkeypatch.setattr(viewer, "why_no_viewer", lambda: "there is no screen")
    return lambda *more: msqsm("demo", "--out", tmp_path / "demo", "--preset", "fast", *more)


def test_demo_reconstructs_summarises_and_says_where_things_are(demo, bids, tmp_path):
    ran = demo("--json", tmp_path / "demo.json")
    assert ran.code == 0, ran.err
    assert "sub-01_ses-01" in ran.out
    assert "napari was not opened: there is no screen" in ran.out
    picture = bids / "derivatives" / "msqsm" / "sub-01" / "figures" / "sub-01_ses-01_desc-qsm_qa.png"
    assert picture.exists()
    assert f"picture: {picture}" in ran.out
    result = json.loads((tmp_path / "demo.json").read_text(encoding="utf-8"))
    assert [row["label"] for row in result["summary"]] == ["sub-01_ses-01"]


def test_no_viewer_does_not_ask_for_one(demo, monkeypatch):
    monkeypatch.setattr(viewer, "open_viewer", lambda _: pytest.fail("napari was opened"))
    ran = demo("--no-viewer")
    assert ran.code == 0
    assert "napari was not opened" not in ran.out


def test_quiet_says_nothing(demo):
    assert demo("--quiet").out == ""
