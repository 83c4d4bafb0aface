"""Other windows, other programs, full disks, damaged journals: nothing that was drawn is lost or written over."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.io.nifti import save_volume
from napari_msqsm.model.lesion import Lesion
from napari_msqsm.workflow.drawing.reading import read_drawing
from napari_msqsm.workspace.drawing import lock as lock_module
from napari_msqsm.workspace.drawing.edit import Edit, LesionChange
from napari_msqsm.workspace.drawing.plane import ONSET, Plane
from napari_msqsm.workspace.drawing.segment import segments_in
from workflow.drawing.small_patient import FLAIR, GRE, SESSIONS, blocks, content, crash, draw, history, stroke

resource = pytest.importorskip("resource")
ONE = Plane.flair(SESSIONS[0])


def one_sentence(error):
    text = str(error.value)
    assert "\n" not in text
    return text


def saved(work, labels=(1, 2)):
    for label in labels:
        work.drawing.apply(stroke(work.drawing, ONE, label, range(20 * label, 20 * label + 9)))
        work.drawing.apply(Edit("new", lesions=(LesionChange(None, Lesion(label, f"01-L{label:03d}")),)))
    work.save()
    return work


# ---- two windows


def test_the_second_window_sees_and_may_not_draw(opened):
    first = saved(opened("AB"))
    second = opened("CD")
    assert second.held_by.initials == "AB"
    assert content(second.drawing) == content(first.drawing)
    for call in (second.drawing.undo, second.save, lambda: second.drawing.apply(stroke(second.drawing, ONE, 5, [0]))):
        with pytest.raises(InputError, match="AB has this patient open in another window"):
            call()
    assert second.tick() == ""
    second.close()
    assert first.places.lock.exists()
    first.close()
    assert opened("CD").held_by is None


def test_unsaved_work_of_another_window_is_told_to_who_measures(opened, study):
    work = saved(opened())
    work.drawing.apply(stroke(work.drawing, ONE, 2, [0]))
    assert "1 step of AB until 2" in read_drawing(study, "01").notes[0]
    work.save()
    assert read_drawing(study, "01").notes == ()


def test_a_window_that_lost_its_lock_says_so_and_saves_aside(opened, places):
    work = saved(opened("AB"))
    work.drawing.apply(stroke(work.drawing, ONE, 2, [0, 1]))
    work.tick()
    text = places.lock.read_text("utf-8")
    places.lock.write_text(text.replace("AB", "CD").replace(work._lock.holder.token, "0" * 32), "utf-8")
    writing = work.prepare_save()
    before = places.plane(ONE).read_bytes()
    assert "taken while this window was silent" in work.tick()
    assert work.held_by.initials == "CD"
    for call in (work.save, writing, work.drawing.undo):
        with pytest.raises(InputError, match="saved under another name"):
            call()
    assert places.plane(ONE).read_bytes() == before
    image, lesions, _ = work.save_aside("AB2")
    assert image.name == "sub-01_ses-01_space-FLAIR_desc-lesionsAB2_dseg.nii.gz"
    assert lesions.name == "sub-01_desc-AB2_lesions.tsv"
    with pytest.raises(InputError, match="is there already"):
        work.save_aside("AB2")
    with pytest.raises(ParameterError, match="letters and digits"):
        work.save_aside("A/B")
    places.lock.unlink()


def test_a_window_left_open_on_a_computer_that_is_off_can_be_followed(opened, monkeypatch):
    work = saved(opened("AB"))
    work.drawing.apply(stroke(work.drawing, ONE, 2, [0]))
    work.places.lock.write_text(
        work.places.lock.read_text("utf-8").replace(lock_module.socket.gethostname(), "far"), "utf-8"
    )
    second = opened("CD")
    assert second.held_by.host == "far"
    second.close()
    os.utime(work.places.lock, (1, 1))
    third = opened("CD")
    assert third.held_by is None
    assert "AB (far) did not close this patient" in third.drawing.notes[0]
    assert third.recovery.n_edits == 1


# ---- other programs


def test_a_file_that_somebody_else_changed_is_not_written_over(opened, places, put):
    work = saved(opened())
    theirs = put(ONE, blocks(FLAIR.shape, 9)).read_bytes()
    work.drawing.apply(stroke(work.drawing, ONE, 2, [3]))
    kept = content(work.drawing)
    for _ in range(2):
        with pytest.raises(InputError, match="changed by another program") as error:
            work.save()
        assert "save under another name" in one_sentence(error)
    assert places.plane(ONE).read_bytes() == theirs
    assert work.unsaved == 1
    assert content(work.drawing) == kept
    assert work.save_aside("mine")


def test_a_table_that_somebody_else_changed_is_not_written_over(opened, places):
    work = saved(opened())
    text = places.lesions.read_text("utf-8").replace("01-L001", "01-L777")
    places.lesions.write_text(text, "utf-8")
    work.drawing.apply(Edit("note", lesions=(LesionChange(work.drawing.lesion(2), Lesion(2, "01-L002", note="x")),)))
    with pytest.raises(InputError, match=r"sub-01_lesions\.tsv was changed by another program"):
        work.save()
    assert places.lesions.read_text("utf-8") == text


def test_an_old_journal_beside_newer_files_asks_and_then_draws_on_them(opened, places, put):
    work = saved(opened())
    work.drawing.apply(stroke(work.drawing, ONE, 2, [3, 4]))
    crash(work)
    put(ONE, blocks(FLAIR.shape, 9))
    newer = opened("CD")
    assert newer.recovery.changed_files == ("ses-01/anat/sub-01_ses-01_space-FLAIR_desc-lesions_dseg.nii.gz",)
    assert "would be drawn on the newer files" in newer.recovery.sentence
    newer.recover()
    wanted = blocks(FLAIR.shape, 9)
    wanted.reshape(-1)[[3, 4]] = 2
    np.testing.assert_array_equal(newer.drawing.labels(ONE), wanted)
    assert newer.drawing.can_undo == "recover what was not saved"
    newer.drawing.undo()
    np.testing.assert_array_equal(newer.drawing.labels(ONE), blocks(FLAIR.shape, 9))
    newer.drawing.redo()
    newer.save()
    newer.close()
    np.testing.assert_array_equal(opened().drawing.labels(ONE), wanted)


def test_a_new_lesion_is_not_mixed_with_another_one_of_its_label(opened, places):
    work = saved(opened())
    work.drawing.apply(
        Edit("new", stroke(work.drawing, ONE, 3, [0]).voxels, (LesionChange(None, Lesion(3, "01-L003")),))
    )
    crash(work)
    places.lesions.write_text("lesion_id\tlabel\tnote\n01-L001\t1\t\n01-L002\t2\t\nother\t3\tof mine\n", "utf-8")
    newer = opened("CD")
    with pytest.raises(InputError, match="label 3 is another lesion"):
        newer.recover()
    assert newer.recovery is not None
    kept = newer.discard()
    assert kept.name.startswith("discarded-")
    assert newer.drawing.lesion(3).note == "of mine"


def test_an_image_of_another_grid_than_what_was_drawn_on(opened, study):
    work = opened()
    work.drawing.apply(stroke(work.drawing, ONE, 1, [0]))
    crash(work)
    save_volume(
        study.session(SESSIONS[0]).contrasts["FLAIR"],
        np.ones((4, 4, 4), np.float32),
        GRE.__class__((4, 4, 4), np.eye(4)),
    )
    newer = opened()
    with pytest.raises(InputError, match="flair sub-01_ses-01 is another one"):
        newer.recover()
    assert newer.recovery is not None
    assert segments_in(newer.places.journal)


def test_columns_of_others_stay_in_the_table(opened, places, put):
    put(places.lesions, "lesion_id\tlocation\tlabel\n01-L001\tleft frontal\t1\n")
    work = opened()
    work.drawing.apply(
        Edit("note", lesions=(LesionChange(work.drawing.lesion(1), Lesion(1, "01-L001", note="a\tb\nc")),))
    )
    work.save()
    work.close()
    assert "left frontal" in places.lesions.read_text("utf-8")
    assert opened().drawing.lesion(1).note == "a\tb\nc"


# ---- discarding


def test_what_is_discarded_is_kept_aside(opened, places):
    work = saved(opened())
    kept = content(work.drawing)
    draw(work, 10)
    crash(work)
    again = opened("CD")
    path = again.discard()
    assert path.exists()
    assert content(again.drawing) == kept
    again.drawing.apply(stroke(again.drawing, ONE, 1, [0]))
    again.save()
    again.close()
    assert path.exists()
    assert opened().recovery is None
    assert "discard" in places.audit.read_text("utf-8")


# ---- damage


@pytest.mark.parametrize("cut", [1, 40, 10_000])
def test_a_damaged_journal_is_kept_and_gives_what_is_whole(opened, cut):
    work = saved(opened())
    draw(work, 10)
    crash(work)
    path = segments_in(work.places.journal)[-1]
    data = path.read_bytes()
    path.write_bytes(data[:-cut] if cut < len(data) else b"\0" * 77)
    again = opened()
    if again.recovery is not None:
        assert again.recovery.n_lost_bytes > 0
        again.recover()
    kept = [each for each in again.places.journal.iterdir() if each.name.startswith("damaged-")]
    assert len(kept) == 1
    assert kept[0].stat().st_size in (len(data) - cut, 77)


# ---- disks


class NoRoom:
    """Files cannot grow: writing fails half way, as on a full disk."""

    def __init__(self, n_bytes):
        self.n_bytes = n_bytes

    def __enter__(self):
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.n_bytes, self.before[1]))

    def __exit__(self, *_):
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


class ReadOnly:
    """A folder that cannot be written to; root, who may, is somebody else for the time."""

    def __init__(self, folder):
        self.folders = [folder, *(each for each in folder.rglob("*") if each.is_dir())]
        self.files = [each for each in folder.rglob("*") if each.is_file()]

    def __enter__(self):
        self.root = os.geteuid() == 0
        for each in self.folders:
            each.chmod(0o555)
        for each in self.files:
            each.chmod(0o444)
        if self.root:
            os.seteuid(65534)

    def __exit__(self, *_):
        if self.root:
            os.seteuid(0)
        for each in self.folders:
            each.chmod(0o755)
        for each in self.files:
            each.chmod(0o644)


@pytest.mark.parametrize("room", [0, 100, 400, 1000])
def test_a_full_disk_is_told_and_the_next_save_works(opened, study, room):
    work = saved(opened())
    draw(work, 5)
    with NoRoom(room):
        draw(work, 40, seed=1)
        assert "No space" in work.tick() or "too large" in work.problem
        with pytest.raises(InputError, match="kept in memory") as error:
            work.save()
        one_sentence(error)
        with pytest.raises(InputError, match="journal cannot be written"):
            work.close()
        draw(work, 5, seed=2)
    kept, steps = content(work.drawing), history(work.drawing)
    assert content(read_drawing(study, "01")) is not None
    assert work.tick() == ""
    crash(work)
    again = opened()
    again.recover()
    assert content(again.drawing) == kept
    assert history(again.drawing) == steps
    assert again.save()
    assert content(read_drawing(study, "01")) == kept


def test_a_save_after_a_full_disk(opened, study):
    work = saved(opened())
    draw(work, 30)
    with NoRoom(300), pytest.raises(InputError, match="kept in memory"):
        work.save()
    work.save()
    assert work.unsaved == 0
    assert content(read_drawing(study, "01")) == content(work.drawing)


def test_a_first_step_on_a_full_disk(opened):
    work = opened()
    with NoRoom(0):
        draw(work, 12)
        assert work.problem
    assert work.tick() == ""
    kept = content(work.drawing)
    crash(work)
    again = opened()
    again.recover()
    assert content(again.drawing) == kept


def test_a_folder_that_cannot_be_written_to_is_shown(opened, study, tmp_path):
    saved(opened()).close()
    for each in [tmp_path, *tmp_path.parents]:  # so that anybody reaches it
        if str(each).startswith("/tmp/"):
            each.chmod(each.stat().st_mode | 0o055)
    with ReadOnly(study.root):
        work = opened()
        assert work.held_by is None
        assert "cannot be written to (Permission denied)" in work.drawing.read_only
        assert work.drawing.labels(ONE).any()
        with pytest.raises(InputError, match="cannot be written to"):
            work.save()
        work.close()


def test_a_folder_that_becomes_read_only_while_drawing(opened, study, tmp_path):
    work = saved(opened())
    for each in [tmp_path, *tmp_path.parents]:
        if str(each).startswith("/tmp/"):
            each.chmod(each.stat().st_mode | 0o055)
    work.drawing.apply(stroke(work.drawing, ONE, 2, [0]))
    with ReadOnly(study.root), pytest.raises(InputError, match="Permission denied") as error:
        work.save()
    one_sentence(error)
    assert work.save()


# ---- audit


def test_every_step_is_in_the_audit_log_once(opened, places):
    work = saved(opened("AB"))
    n = 4
    draw(work, 8)
    n += work.unsaved
    work.tick()
    draw(work, 8, seed=1)
    n += work.unsaved
    crash(work)
    again = opened("CD")
    n_before = again.recovery.n_edits
    again.recover()
    again.drawing.apply(stroke(again.drawing, ONE, 1, [5]))
    again.save()
    rows = [row.split("\t") for row in places.audit.read_text("utf-8").splitlines()[1:]]
    steps = [row for row in rows if row[2] in ("edit", "undo", "redo")]
    assert len(steps) == 4 + n_before + 1
    assert len({row[-1] for row in steps}) == len(steps)
    assert {row[1] for row in steps} == {"AB", "CD"}
    assert [row[2] for row in rows if row not in steps] == ["save", "recover", "save"]


def test_a_note_of_who_reviewed(opened):
    work = saved(opened())
    lesion = work.drawing.lesion(1)
    done = work.drawing.apply(Edit("note", lesions=(LesionChange(lesion, replace(lesion, excluded="motion")),)))
    assert done.by == "AB"
    assert work.drawing.labels(ONSET).shape == GRE.shape
