"""What ``msqsm run`` says and returns about the coregistration."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from napari_msqsm.cli import common, coregistration
from napari_msqsm.workflow.coregistration.outcome import PairResult
from napari_msqsm.workflow.coregistration.state import PairState


@pytest.fixture
def run(msqsm, bids):
    """Run ``msqsm run`` on a study whose second session has a magnitude only."""
    return lambda *more: msqsm("run", bids, bids / "derivatives" / "msqsm", "participant", "--preset", "fast", *more)


def test_the_dry_run_names_the_pairs(run, tmp_path):
    ran = run("--dry-run", "--json", tmp_path / "r.json")
    assert ran.out.splitlines()[-1] == "would align sub-01_ses-02 MEGRE to the gradient echo of sub-01_ses-01"
    assert json.loads((tmp_path / "r.json").read_text("utf-8"))["pairs"] == ["sub-01_ses-02 MEGRE"]
    assert "would align" not in run("--dry-run", "--no-coregistration").out


def test_a_study_is_aligned_after_it_was_reconstructed(run, bids, tmp_path):
    ran = run("--json", tmp_path / "r.json")
    home = bids / "derivatives" / "msqsm" / "sub-01"
    assert (home / "ses-02" / "anat" / "sub-01_ses-02_from-MEGRE_to-baseline_mode-image_xfm.txt").is_file()
    assert (home / "ses-01" / "anat" / "sub-01_ses-01_space-baseline_Chimap.nii.gz").is_file()
    assert (home / "figures" / "sub-01_ses-02_desc-coregistration_qa.png").is_file()
    (patient,) = json.loads((tmp_path / "r.json").read_text("utf-8"))["coregistration"]
    (pair,) = patient["pairs"]
    assert patient["baseline"] == "sub-01_ses-01"
    assert pair["verdict"] in ("ok", "look")  # a ball of noise, too small for a second opinion
    assert ran.code == common.DONE, ran.err
    assert "aligned to the gradient echo of sub-01_ses-01" in ran.out
    assert f"sub-01_ses-02 MEGRE  {pair['verdict']}" in ran.out
    again = run()
    assert "kept" in again.out


@pytest.mark.slow
def test_the_official_validator_accepts_transforms_and_maps(run, bids):
    validator = Path(sys.executable).with_name("bids-validator-deno")
    if not validator.exists():
        pytest.skip("bids-validator-deno is not installed")
    assert run().code == 0
    command = [str(validator), str(bids / "derivatives" / "msqsm"), "--format", "json"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert [issue for issue in report["issues"]["issues"] if issue["severity"] == "error"] == []


def test_settings_by_name(run):
    assert run("--dry-run", "--set-coregistration", "registration.model=scale9", "loop_closure=false").code == 0
    refused = run("--dry-run", "--set-coregistration", "registration.model=scale9", "frame=mid-space")
    assert refused.code == common.UNUSABLE
    assert "mid-space takes rigid transforms only" in refused.err
    for wrong, words in (("nonsense=1", "no setting 'nonsense'"), ("frame=moon", "frame"), ("frame", "KEY=VALUE")):
        ran = run("--dry-run", "--set-coregistration", wrong)
        assert ran.code == common.UNUSABLE
        assert len(ran.error_lines) == 1
        assert words in ran.err


def test_exit_codes():
    def outcome(*results):
        return SimpleNamespace(unusable=results)

    failed = PairResult(pair=None, state=PairState("done"), ran=True)
    unreadable = PairResult(pair=None, state=PairState("missing"), ran=True, error="is empty")
    assert coregistration.code_of([]) == common.DONE
    assert coregistration.code_of([outcome()]) == common.DONE
    assert coregistration.code_of([outcome(), outcome(failed)]) == common.NOT_CONVERGED
    assert coregistration.code_of([outcome(failed, unreadable)]) == common.UNUSABLE
    assert coregistration.worst(common.DONE, common.NOT_CONVERGED) == common.NOT_CONVERGED
    assert coregistration.worst(common.UNUSABLE, common.NOT_CONVERGED) == common.UNUSABLE
