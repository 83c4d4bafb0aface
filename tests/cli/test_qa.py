"""``msqsm qa``: codes, the page, machines."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest


def test_report_on_a_study(msqsm, bids, tmp_path):
    ran = msqsm("qa", bids, "--skip-bids-validation", "--json", tmp_path / "out.json")
    assert ran.code == 0, ran.err
    assert "sub-01_ses-02  –" in ran.out
    assert "no phase" in ran.out
    page = bids / "derivatives" / "msqsm" / "study_report.html"
    assert "no phase" in page.read_text("utf-8")
    result = json.loads((tmp_path / "out.json").read_text("utf-8"))[str(bids)]
    assert result["kind"] == "study"
    assert [row["session"] for row in result["sessions"]] == ["sub-01_ses-01", "sub-01_ses-02"]


def test_report_on_a_reconstruction(msqsm, acquisition, tmp_path):
    out = tmp_path / "out"
    assert (
        msqsm("recon", *acquisition.arguments, "--preset", "fast", "--mask", acquisition.mask, "--out", out).code == 0
    )
    ran = msqsm("qa", out)
    assert ran.code == 0, ran.err
    assert "snr_combined" in ran.out
    assert (out / "qa.png").is_file()


def test_what_is_neither_is_refused(msqsm, bids, tmp_path):
    (tmp_path / "empty").mkdir()
    ran = msqsm("qa", tmp_path / "empty")
    assert ran.code == 2
    assert len(ran.error_lines) == 1
    assert list((tmp_path / "empty").iterdir()) == []
    both = msqsm("qa", "--quiet", "--skip-bids-validation", tmp_path / "empty", bids)
    assert both.code == 2
    assert (bids / "derivatives" / "msqsm" / "study_report.html").is_file()


@pytest.mark.skipif(os.name != "posix", reason="a stand-in program is a shell script")
def test_errors_of_the_public_validator_are_in_the_report(msqsm, bids, tmp_path, monkeypatch):
    """A program of its name and answer: the true one is asked in a slow test."""
    program = tmp_path / "bin" / "bids-validator-deno"
    program.parent.mkdir()
    issue = {"code": "SOME_RULE", "severity": "error", "location": "/sub-01/x.json", "issueMessage": "why"}
    answer = json.dumps({"issues": {"issues": [issue, {"code": "HINT", "severity": "warning"}]}})
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program.with_name("python")))
    ran = msqsm("qa", bids)
    assert "error: sub-01/x.json: public validator: some rule (why)" in ran.out
    assert "and the public BIDS validator" in ran.out
    program.write_text("#!/bin/sh\nexit 1\n")
    assert "is not installed" in msqsm("qa", bids).out


@pytest.mark.slow
def test_the_public_validator_and_ours_agree_that_the_sample_is_without_fault(msqsm, tmp_path):
    from napari_msqsm.phantom.sample import copy_sample_study

    if not Path(sys.executable).with_name("bids-validator-deno").exists():
        pytest.skip("bids-validator-deno is not installed")
    ran = msqsm("qa", copy_sample_study(tmp_path / "study"))
    assert "and the public BIDS validator: 0 errors, 0 remarks" in ran.out
