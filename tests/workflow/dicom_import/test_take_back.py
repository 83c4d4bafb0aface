"""Imports that are refused, cancelled, killed, or fail: nothing half-written stays."""

from __future__ import annotations

import threading
from datetime import datetime

import pytest

from napari_msqsm.errors import CancelledError, InputError, ParameterError
from napari_msqsm.io.bids import open_study
from napari_msqsm.workflow.dicom_import.importing import settle
from napari_msqsm.workflow.dicom_import.undo import Changes

at = datetime.fromisoformat


@pytest.mark.parametrize("name", ["", "Erika M", "../x", "a_b", "é"])
def test_names_that_cannot_be(scanner, write, tmp_path, name):
    (series,) = scanner.session(("FLAIR",))
    with pytest.raises(ParameterError, match="letters and digits"):
        write(scanner.staged(series), change=lambda plan: plan.with_row(series.series_uid, settle, session_id=name))
    assert not (tmp_path / "study").exists()


def test_nothing_to_write(scanner, write, tmp_path):
    with pytest.raises(InputError, match="no series to write"):
        write(scanner.staged(scanner.series("", description="localizer")))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["staged"]


def test_study_that_changed_meanwhile(scanner, write, tmp_path):
    series = scanner.session(("FLAIR",))

    def meanwhile(plan):
        (tmp_path / "study" / "sub-01" / "ses-01" / "anat").mkdir(parents=True)
        return plan

    with pytest.raises(InputError, match="propose it again"):
        write(scanner.staged(*series), change=meanwhile)


def test_study_that_changes_while_images_are_written(scanner, write, tmp_path, tree):
    def somebody_else(title, fraction):
        (tmp_path / "study" / "sub-01" / "ses-01" / "anat").mkdir(parents=True, exist_ok=True)

    with pytest.raises(InputError, match="propose it again"):
        write(scanner.staged(*scanner.session(("FLAIR",))), on_progress=somebody_else)
    assert tree(tmp_path / "study") == {}
    assert not (tmp_path / "study_key.tsv").exists()


def test_folder_of_something_else(scanner, write, tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "thesis.doc").touch()
    with pytest.raises(InputError, match="not a BIDS dataset"):
        write(scanner.staged(*scanner.session(("FLAIR",))))
    assert [path.name for path in (tmp_path / "study").iterdir()] == ["thesis.doc"]


@pytest.mark.parametrize("there_before", [False, True])
@pytest.mark.parametrize("after", [0, 3])
def test_cancelled_import_leaves_nothing(scanner, write, tmp_path, there_before, after, tree):
    if there_before:
        write(scanner.staged(*scanner.session(("FLAIR",))))
    before = tree(tmp_path / "study"), sorted(path.name for path in tmp_path.iterdir())
    scanner.visit(at("2021-05-01T10:00"))
    cancel, seen = threading.Event(), []

    def on_progress(title, fraction):
        seen.append(fraction)
        if len(seen) >= after:
            cancel.set()

    if not after:
        cancel.set()
    with pytest.raises(CancelledError):
        write(scanner.staged(*scanner.session()), on_progress=on_progress, cancel=cancel)
    assert (tree(tmp_path / "study"), sorted(path.name for path in tmp_path.iterdir())) == before


def test_damaged_image_leaves_its_acquisition_out_and_the_rest_is_written(scanner, write, tmp_path):
    series = scanner.session(("MEGRE", "FLAIR", "T1w"))
    series[1].images[1].path.write_bytes(series[1].images[1].path.read_bytes()[:400])
    outcome = write(scanner.staged(*series))
    assert {path.name for path in outcome.files} == {"sub-01_ses-01_FLAIR.nii.gz", "sub-01_ses-01_T1w.nii.gz"}
    (failed,) = [item for item in outcome.left_out if item.what == "sub-01_ses-01_MEGRE"]
    assert "truncated" in failed.why
    assert not list((tmp_path / "study").rglob("*MEGRE*"))
    assert b"MEGRE" not in (tmp_path / "study_key.tsv").read_bytes()


def test_nothing_is_written_where_every_image_is_damaged(scanner, write, tmp_path):
    (series,) = scanner.session(("FLAIR",))
    series.images[0].path.unlink()
    with pytest.raises(InputError, match="no series could be written"):
        write(scanner.staged(series))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["staged"]


@pytest.mark.parametrize("there_before", [False, True])
@pytest.mark.parametrize("when", ["study_key.tsv", "participants.tsv", "_sessions.tsv", "a session"])
def test_failure_while_moving_in_takes_everything_back(scanner, write, tmp_path, monkeypatch, there_before, when, tree):
    if there_before:
        write(scanner.staged(*scanner.session(("FLAIR",))))
    before = tree(tmp_path / "study"), sorted(path.name for path in tmp_path.iterdir())
    key = (tmp_path / "study_key.tsv").read_bytes() if there_before else b""
    scanner.visit(at("2021-05-01T10:00"))
    write_file = Changes.write

    def full_disk(self, path, text, *, private=False):
        if path.name.endswith(when):
            raise OSError(28, "No space left on device", str(path))
        write_file(self, path, text, private=private)

    def no_move(self, source, target):
        if when == "a session":
            raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Changes, "write", full_disk)
    if when == "a session":
        monkeypatch.setattr(Changes, "move", no_move)
    with pytest.raises(OSError, match="No space"):
        write(scanner.staged(*scanner.session()))
    assert (tree(tmp_path / "study"), sorted(path.name for path in tmp_path.iterdir())) == before
    assert not there_before or (tmp_path / "study_key.tsv").read_bytes() == key


def test_a_file_that_is_there_is_never_overwritten(tmp_path):
    (tmp_path / "new").write_text("new")
    (tmp_path / "old").write_text("old")
    with pytest.raises(InputError, match="not overwritten"), Changes() as changes:
        changes.move(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old").read_text() == "old"
    assert (tmp_path / "new").read_text() == "new"


def test_process_that_was_killed_while_moving_in(scanner, write, tmp_path, monkeypatch, sessions):
    """No handler ran: key and tables are written, the session is not there. The same import again makes it whole."""
    series = scanner.session()

    class Killed(BaseException):
        pass

    def killed(self, source, target):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Changes, "move", killed)
        patch.setattr(Changes, "__exit__", lambda *_: None)
        with pytest.raises(Killed):
            write(scanner.staged(*series))
    key = (tmp_path / "study_key.tsv").read_text()
    outcome = write(scanner.staged(*series))
    assert outcome.sessions == ("sub-01_ses-01",)
    (session,) = open_study(tmp_path / "study").sessions
    assert session.missing == ()
    offsets = {line.split("\t")[-1] for line in (tmp_path / "study_key.tsv").read_text().splitlines()[1:]}
    assert len(offsets) == 1
    assert (tmp_path / "study_key.tsv").read_text().startswith(key)
    assert len(sessions(tmp_path / "study")) == 1


def test_what_cannot_be_taken_back_is_told(tmp_path):
    changes = Changes()
    changes.folder(tmp_path / "study")
    (tmp_path / "study" / "of somebody else").touch()
    with pytest.raises(InputError, match=r"the import failed \(disk full\), and not all of it could be taken back"):
        changes.__exit__(OSError, OSError("disk full"), None)
