"""``msqsm add``: codes, one line per refusal, nothing written on refusal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.io.bids import open_study
from napari_msqsm.workflow.opening import new_workspace
from napari_msqsm.workspace.status import SessionState

AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])
SHAPE = (24, 26, 22)


def save(path, array, affine=AFFINE):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(array, affine), path)
    return path


@pytest.fixture
def chi():
    radius = np.sqrt(sum(axis**2 for axis in np.meshgrid(*(np.arange(n) - n / 2 + 0.5 for n in SHAPE), indexing="ij")))
    values = np.where(radius < 9, np.random.default_rng(0).normal(0, 0.03, SHAPE), 0)
    return values.astype(np.float32), radius < 9


def derivatives(root):
    return sorted(path.name for path in (root / "derivatives").rglob("*.nii.gz"))


def test_maps_of_a_folder(msqsm, bids, chi, tmp_path):
    theirs = tmp_path / "theirs"
    save(theirs / "sub-01" / "ses-01" / "Sepia_Chimap.nii.gz", chi[0])
    save(theirs / "sub-01" / "ses-01" / "Sepia_localfield.nii.gz", chi[0])
    dry = msqsm("add", "maps", bids, theirs, "--dry-run")
    assert (dry.code, derivatives(bids)) == (0, [])
    assert "SEPIA" in dry.out
    ran = msqsm("add", "maps", bids, theirs, "--json", tmp_path / "out.json")
    assert ran.code == 0, ran.err
    assert "sub-01_ses-01_Chimap.nii.gz" in derivatives(bids)
    assert json.loads((tmp_path / "out.json").read_text())["sessions"][0]["label"] == "sub-01_ses-01"
    again = msqsm("add", "maps", bids, theirs)
    assert again.code == 2
    assert "--overwrite" in again.error_lines[-1]


def test_one_map_for_a_named_session(msqsm, bids, chi, tmp_path):
    path = save(tmp_path / "theirs" / "result.nii.gz", 1000 * chi[0])
    refused = msqsm("add", "maps", bids, path)
    assert refused.code == 2
    assert "--session" in refused.err
    ran = msqsm("add", "maps", bids, path, "--session", "sub-01_ses-02", "--unit", "ppb")
    assert ran.code == 0, ran.err
    assert "sub-01_ses-02_Chimap.nii.gz" in derivatives(bids)


def test_a_mask_of_one_map_is_not_used_for_others(msqsm, bids, chi, tmp_path):
    for session in ("01", "02"):
        path = save(tmp_path / "theirs" / "sub-01" / f"ses-{session}" / "Sepia_Chimap.nii.gz", chi[0])
    done = msqsm("add", "maps", bids, tmp_path / "theirs", "--mask", path)
    assert (done.code, derivatives(bids)) == (2, [])
    assert done.error_lines == ["msqsm add: --mask was given, but 2 maps were found; give one file"]


def test_masks_are_used_by_run(msqsm, bids, chi, tmp_path):
    path = save(tmp_path / "theirs" / "sub-01_ses-01_brain.nii.gz", chi[1].astype("u1"))
    assert msqsm("add", "masks", bids, path, "--as", "brain").code == 0
    assert "given_brain_mask" in open_study(bids).session("sub-01_ses-01").derivatives
    dry = msqsm("run", bids, tmp_path / "out", "participant", "--dry-run")
    assert "with the brain mask taken over" in dry.out
    own = msqsm("run", bids, tmp_path / "out", "participant", "--dry-run", "--own-masks")
    assert "taken over" not in own.out


def test_a_mask_makes_a_reconstruction_outdated_and_the_next_one_uses_it(msqsm, bids, chi, tmp_path):
    out = bids / "derivatives" / "msqsm"
    assert msqsm("run", bids, out, "participant", "--preset", "fast", "--quiet").code == 0
    path = save(tmp_path / "theirs" / "sub-01_ses-01_brain.nii.gz", chi[1].astype("u1"))
    assert msqsm("add", "masks", bids, path, "--as", "brain").code == 0
    work = new_workspace()
    work.open(bids)
    assert work.status("sub-01_ses-01").state is SessionState.OUTDATED
    ran = msqsm("run", bids, out, "participant", "--preset", "fast")
    assert "with the brain mask taken over" in ran.out
    anat = out / "sub-01" / "ses-01" / "anat"
    used = np.asarray(nib.load(anat / "sub-01_ses-01_desc-wholebrain_mask.nii.gz").dataobj) > 0
    assert np.array_equal(used, chi[1])
    record = json.loads((anat / "sub-01_ses-01_Chimap.json").read_text("utf-8"))
    assert any("brain mask is the one that was taken over" in note for note in record["Assumptions"])
    work.refresh()
    assert work.status("sub-01_ses-01").state is SessionState.DONE


def test_masks_that_cannot_be_used_do_not_stop_the_others(msqsm, bids, chi, tmp_path):
    good = save(tmp_path / "theirs" / "sub-01_ses-01_lesions.nii.gz", chi[1].astype("u1"))
    bad = save(tmp_path / "theirs" / "sub-01_ses-02_lesions.nii.gz", chi[1][:-1].astype("u1"))
    ran = msqsm("add", "masks", bids, bad, good, "--as", "lesions")
    assert ran.code == 2
    assert len(ran.error_lines) == 1
    assert "msqsm resample" in ran.err
    assert "1 lesion: a part" in ran.out
    assert derivatives(bids) == ["sub-01_ses-01_desc-lesions_dseg.nii.gz"]


def test_table(msqsm, bids, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("Patient;Visite;MRT-Datum;EDSS\n1;1;04.03.2019;2,5\n1;2;05.03.2020;3\n9;1;05.03.2020;3\n", "utf-8")
    dry = msqsm("add", "table", bids, table, "--dry-run")
    assert dry.code == 0, dry.err
    assert not (bids / "sub-01" / "sub-01_sessions.tsv").exists()
    assert "not in the study: 9" in dry.err
    ran = msqsm("add", "table", bids, table)
    assert ran.code == 0, ran.err
    text = (bids / "sub-01" / "sub-01_sessions.tsv").read_text()
    assert text == "session_id\tedss\tacq_time\nses-01\t2.5\t2019-03-04T12:00:00\nses-02\t3\t2020-03-05T12:00:00\n"
    table.write_text("Patient,Visit,EDSS\n1,1,4\n", "utf-8")
    kept = msqsm("add", "table", bids, table)
    assert "kept as it is" in kept.out
    assert (bids / "sub-01" / "sub-01_sessions.tsv").read_text() == text


@pytest.mark.parametrize(
    ("content", "arguments", "words"),
    [
        ("ID,EDSS\n9,2\n", (), "nothing of"),
        ("ID,Date\n1,01/02/2020\n", (), "--date-order"),
        ("EDSS,Age\n1,2\n", (), "no column tells the patient"),
        ("ID,EDSS\n1,2\n", ("--columns", "edss"), "name=Header"),
        ("ID,EDSS\n1,2\n", ("--within-days", "-3"), "must not be negative"),
    ],
)
def test_tables_that_cannot_be_used(msqsm, bids, tmp_path, content, arguments, words):
    table = tmp_path / "table.csv"
    table.write_text(content)
    ran = msqsm("add", "table", bids, table, *arguments)
    assert ran.code == 2
    assert words in ran.error_lines[-1]
    assert not (bids / "participants.tsv").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "KIND"),
        (("maps",), "BIDS_DIR"),
        (("masks", "x", "y"), "--as"),
        (("maps", "nowhere", "y"), "not a folder"),
    ],
)
def test_arguments(msqsm, arguments, words):
    ran = msqsm("add", *arguments)
    assert ran.code == 2
    assert words in ran.error_lines[0]
    assert len(ran.error_lines) == 1


def test_common_arguments_stand_before_or_after_the_kind(msqsm, bids, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("ID,EDSS\n1,2\n")
    for arguments in (("add", "--quiet", "table", bids, table), ("add", "table", "--quiet", bids, table)):
        ran = msqsm(*arguments)
        assert (ran.code, ran.out) == (0, "")


@pytest.mark.slow
def test_the_public_validator_accepts_what_was_added(msqsm, bids, chi, tmp_path):
    validator = Path(sys.executable).with_name("bids-validator-deno")
    if not validator.exists():
        pytest.skip("bids-validator-deno is not installed")
    theirs = tmp_path / "theirs"
    maps = save(theirs / "sub-01_ses-01_Chimap.nii.gz", chi[0])
    brain = save(theirs / "sub-01_ses-01_brain.nii.gz", chi[1].astype("u1"))
    table = theirs / "table.csv"
    table.write_text("ID,Session,Date,EDSS,Sex\n1,1,2019-03-04,2,F\n1,2,2020-03-04,2,F\n")
    for arguments in (
        ("maps", bids, maps),
        ("masks", bids, brain, "--as", "brain"),
        ("masks", bids, brain, "--as", "csf"),
        ("masks", bids, brain, "--as", "lesions"),
        ("table", bids, table),
    ):
        assert msqsm("add", *arguments).code == 0
    assert msqsm("qa", bids).code == 0
    for root in (bids, bids / "derivatives" / "msqsm"):
        command = [str(validator), str(root), "--format", "json", "--ignoreWarnings"]
        report = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
        assert [issue for issue in report["issues"]["issues"] if issue["severity"] == "error"] == []
