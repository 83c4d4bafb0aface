from __future__ import annotations

import json
import os

import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.model.gre_files import GreFiles
from napari_msqsm.model.study import EchoFile, Patient, Session, Study
from napari_msqsm.workspace.freshness import sha256_of
from napari_msqsm.workspace.status import SessionState
from napari_msqsm.workspace.workspace import Workspace

VERSION = "v1"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def chimap_path(root):
    return root / "derivatives" / "msqsm" / "sub-01" / "ses-01" / "anat" / "sub-01_ses-01_Chimap.nii.gz"


def read(root):
    """Minimal reader: one patient; the second session lacks phase."""
    if not root.is_dir():
        raise InputError(f"{root} is not a BIDS folder")
    first = tuple(EchoFile(root / f"{part}.nii", part, 1) for part in ("mag", "phase"))
    chi = chimap_path(root)
    found = {"Chimap": chi} if chi.exists() else {}
    sessions = (
        Session("01", "01", None, first, derivatives=found, contrasts={"FLAIR": root / "flair.nii"}),
        Session("01", "02", None, first[:1], missing=("the phase of the GRE",)),
    )
    return Study(root, (Patient("01", sessions),))


@pytest.fixture
def root(tmp_path):
    for name in ("mag", "phase"):
        write(tmp_path / f"{name}.nii", f"{name} data")
    return tmp_path


@pytest.fixture
def work(root):
    opened = Workspace(read, VERSION)
    opened.open(root)
    return opened


def finish(root, *, version=VERSION, warnings=(), quality=None):
    files = [root / "mag.nii", root / "phase.nii"]
    record = {
        "PipelineVersion": version,
        "Warnings": list(warnings),
        "Quality": quality,
        "InputFiles": [
            {"URI": f"bids:raw:{file.name}", "SHA256": sha256_of(file), "SizeBytes": file.stat().st_size}
            for file in files
        ],
    }
    chi = write(chimap_path(root), "map")
    write(chi.with_name("sub-01_ses-01_Chimap.json"), json.dumps(record))


def test_nothing_is_open_at_first(root):
    work = Workspace(read, VERSION)
    assert work.sessions == ()
    assert work.selected is None
    assert work.next_step.startswith("Open a BIDS folder")


def test_opening_selects_the_first_session_and_says_so(root):
    work = Workspace(read, VERSION)
    opened, selected = [], []
    work.opened.connect(opened.append)
    work.selection_changed.connect(selected.append)
    study = work.open(root)
    assert opened == [study]
    assert selected == ["sub-01_ses-01"]
    assert work.selected.label == "sub-01_ses-01"


def test_ready_and_incomplete(work):
    ready, incomplete = work.status("sub-01_ses-01"), work.status("sub-01_ses-02")
    assert ready.state is SessionState.READY
    assert ready.there == ("GRE mag+phase, 1 echo", "FLAIR")
    assert ready.next_step == "Reconstruct this session."
    assert incomplete.state is SessionState.INCOMPLETE
    assert "the phase of the GRE" in incomplete.next_step


def test_a_result_is_found_on_refresh_and_on_the_next_start(work, root):
    finish(root, warnings=("sign not verified",))
    assert work.status("sub-01_ses-01").state is SessionState.READY
    work.refresh()
    assert work.status("sub-01_ses-01").state is SessionState.DONE
    again = Workspace(read, VERSION)
    again.open(root)
    status = again.status("sub-01_ses-01")
    assert status.state is SessionState.DONE
    assert status.warnings == ("sign not verified",)


def test_changed_content_makes_it_outdated_and_a_changed_date_does_not(work, root):
    finish(root)
    os.utime(root / "mag.nii", (10**9, 10**9))
    work.refresh()
    assert work.status("sub-01_ses-01").state is SessionState.DONE
    write(root / "mag.nii", "mag DATA")  # same size
    work.refresh()
    status = work.status("sub-01_ses-01")
    assert status.state is SessionState.OUTDATED
    assert status.reasons == ("mag.nii changed since",)
    assert "Reconstruct again" in status.next_step


def test_another_version_of_the_algorithm_makes_it_outdated(work, root):
    finish(root, version="v0")
    work.refresh()
    assert work.status("sub-01_ses-01").reasons == ("the algorithm has a newer version",)


@pytest.mark.parametrize("text", ["{ half a file", "[]", "{}"])
def test_a_result_with_unreadable_provenance_is_outdated(work, root, text):
    finish(root)
    write(chimap_path(root).with_name("sub-01_ses-01_Chimap.json"), text)
    work.refresh()
    assert work.status("sub-01_ses-01").state is SessionState.OUTDATED


def test_a_refused_folder_leaves_what_was_open(work, root):
    with pytest.raises(InputError, match="not a BIDS folder"):
        work.open(root / "absent")
    assert work.study.root == root


def test_selection(work):
    seen = []
    work.selection_changed.connect(seen.append)
    work.select("sub-01_ses-02")
    work.select("sub-01_ses-02")
    assert seen == ["sub-01_ses-02"]
    with pytest.raises(KeyError):
        work.select("sub-09")
    work.refresh()
    assert work.selected.label == "sub-01_ses-02"
    work.close()
    assert work.selected is None
    assert seen[-1] is None


def test_plain_files_are_a_study_of_one_session(root, tmp_path):
    work = Workspace(read, VERSION)
    files = GreFiles(magnitude=(root / "mag.nii",), phase=(root / "phase.nii",))
    work.open_files(files, tmp_path / "out")
    label = work.selected.label
    assert work.status(label).state is SessionState.READY
    write(tmp_path / "out" / "Chimap.nii.gz", "map")
    entries = [
        {"URI": f"../{path.name}", "SHA256": sha256_of(path), "SizeBytes": path.stat().st_size} for path in files.paths
    ]
    write(tmp_path / "out" / "provenance.json", json.dumps({"InputFiles": entries, "PipelineVersion": VERSION}))
    assert work.selected.derivatives == {}
    write(tmp_path / "out" / "brain_mask.nii.gz", "mask")
    work.refresh()
    assert set(work.selected.derivatives) == {"Chimap", "brain_mask"}
    assert work.status(label).state is SessionState.DONE
    with pytest.raises(InputError, match="there is no file"):
        work.open_files(GreFiles(magnitude=(root / "gone.nii",)), tmp_path / "out")
    assert work.files is files


@pytest.mark.parametrize("version", [VERSION, "v0"])
def test_quality_numbers_come_with_the_status(root, work, version):
    assert work.status("sub-01_ses-01").quality == {}
    finish(root, version=version, quality={"csf_sd_ppb": 1.5, "streak_index": None, "note": "no number"})
    work.refresh()
    assert work.status("sub-01_ses-01").quality == {"csf_sd_ppb": 1.5, "streak_index": None}


def test_reading_opens_nothing_until_it_is_taken(root):
    work = Workspace(read, VERSION)
    reading = work.read(root)
    assert work.study is None
    assert {label: status.state for label, status in reading.status.items()} == {
        "sub-01_ses-01": SessionState.READY,
        "sub-01_ses-02": SessionState.INCOMPLETE,
    }
    assert work.take(reading) is work.study


def test_reading_again_sees_new_results(work, root):
    finish(root)
    again = work.read_again()
    assert work.status("sub-01_ses-01").state is SessionState.READY
    work.take(again)
    assert work.status("sub-01_ses-01").state is SessionState.DONE


def test_nothing_is_read_again_when_nothing_is_open():
    assert Workspace(read, VERSION).read_again() is None


def test_files_are_read_without_opening_them(root, tmp_path):
    work = Workspace(read, VERSION)
    files = GreFiles(magnitude=(root / "mag.nii",), phase=(root / "phase.nii",))
    work.take(work.read_files(files, tmp_path / "out"))
    assert work.files is files
    assert work.out_dir == tmp_path / "out"
    assert work.selected is not None
