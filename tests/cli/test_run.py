from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.cli import COMMANDS, common
from napari_msqsm.workflow.opening import new_workspace
from napari_msqsm.workspace.status import SessionState


@pytest.fixture
def run(msqsm, bids, tmp_path):
    """Run ``msqsm run`` on the study with the fast preset; nothing is aligned."""
    out = bids / "derivatives" / "msqsm"
    return lambda *more: msqsm("run", bids, out, "participant", "--preset", "fast", "--no-coregistration", *more)


def test_run_is_a_command():
    assert "run" in COMMANDS


def test_dry_run_says_what_would_be_done_and_writes_nothing(run, bids):
    before = sorted(bids.rglob("*"))
    ran = run("--dry-run")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == ["would reconstruct sub-01_ses-01"]
    assert "sub-01_ses-02 is left out" in ran.err
    assert sorted(bids.rglob("*")) == before


def test_derivatives_of_a_session(run, bids, tmp_path):
    ran = run("--json", tmp_path / "r.json")
    assert ran.code == 0, ran.err
    root = bids / "derivatives" / "msqsm"
    description = json.loads((root / "dataset_description.json").read_text(encoding="utf-8"))
    assert description["DatasetType"] == "derivative"
    assert description["GeneratedBy"][0]["Name"] == "napari-msqsm"
    session = root / "sub-01" / "ses-01"
    found = {path.relative_to(session).as_posix() for path in session.rglob("*.nii.gz")}
    assert found == {
        "anat/sub-01_ses-01_Chimap.nii.gz",
        "anat/sub-01_ses-01_R2starmap.nii.gz",
        "anat/sub-01_ses-01_desc-brain_mask.nii.gz",
        "anat/sub-01_ses-01_desc-wholebrain_mask.nii.gz",
        "anat/sub-01_ses-01_desc-csf_mask.nii.gz",
        "fmap/sub-01_ses-01_desc-total_fieldmap.nii.gz",
        "fmap/sub-01_ses-01_desc-local_fieldmap.nii.gz",
        "fmap/sub-01_ses-01_magnitude.nii.gz",
    }
    chi = nib.load(session / "anat" / "sub-01_ses-01_Chimap.nii.gz")
    mask = nib.load(session / "anat" / "sub-01_ses-01_desc-brain_mask.nii.gz")
    assert not np.asarray(chi.dataobj)[np.asarray(mask.dataobj) == 0].any()
    sidecar_text = (session / "anat" / "sub-01_ses-01_Chimap.json").read_text(encoding="utf-8")
    sidecar = json.loads(sidecar_text)
    assert sidecar["Units"] == "ppm"
    assert sidecar["Sources"][0].startswith("bids:raw:sub-01/ses-01/anat/")
    assert str(tmp_path) not in sidecar_text
    result = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert [entry["label"] for entry in result["sessions"]] == ["sub-01_ses-01"]
    assert (root / "sub-01" / "figures" / "sub-01_ses-01_desc-qsm_qa.png").stat().st_size > 1000


@pytest.mark.slow
def test_the_official_validator_accepts_the_derivatives(run, bids):
    validator = Path(sys.executable).with_name("bids-validator-deno")
    if not validator.exists():
        pytest.skip("bids-validator-deno is not installed")
    assert run().code == 0
    command = [str(validator), str(bids / "derivatives" / "msqsm"), "--format", "json"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    errors = [issue for issue in report["issues"]["issues"] if issue["severity"] == "error"]
    assert errors == []


def test_the_result_is_found_again_and_outdated_when_an_echo_changes(run, bids):
    label = "sub-01_ses-01"
    work = new_workspace()
    work.open(bids)
    assert work.status(label).state is SessionState.READY
    run()
    work.refresh()
    assert work.status(label).state is SessionState.DONE, work.status(label)
    echo = next((bids / "sub-01" / "ses-01" / "anat").glob("*echo-2_part-mag*.nii.gz"))
    image = nib.load(echo)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj) * 1.5, image.affine), echo)
    work.refresh()
    assert work.status(label).state is SessionState.OUTDATED


def test_patients_by_name(run):
    assert run("--participant-label", "sub-01", "--dry-run").code == 0
    ran = run("--participant-label", "07")
    assert ran.code == common.UNUSABLE
    assert "'07'" in ran.error_lines[-1]


def test_a_folder_that_is_not_bids(msqsm, tmp_path):
    (tmp_path / "plain").mkdir()
    ran = msqsm("run", tmp_path / "plain", tmp_path / "out", "participant")
    assert ran.code == common.UNUSABLE
    assert len(ran.error_lines) == 1
    assert not (tmp_path / "out").exists()


def test_a_corrupt_session_does_not_stop_the_others(run, bids):
    source = bids / "sub-01" / "ses-01"
    target = bids / "sub-01" / "ses-03"
    for path in sorted((source / "anat").iterdir()):
        copy = target / "anat" / path.name.replace("ses-01", "ses-03")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    echo = next((source / "anat").glob("*echo-2_part-phase*.nii.gz"))
    echo.write_bytes(echo.read_bytes()[:200])
    ran = run()
    assert ran.code == common.UNUSABLE
    assert "sub-01_ses-01: " in ran.err
    root = bids / "derivatives" / "msqsm" / "sub-01"
    assert not (root / "ses-01").exists()
    assert (root / "ses-03" / "anat" / "sub-01_ses-03_Chimap.nii.gz").exists()
