"""Reading, correcting and writing an import, without a window: nothing private is left behind."""

from __future__ import annotations

import pytest
from napari.components import ViewerModel

from dicom_scanner.people import Visit
from dicom_scanner.study import write_study
from napari_msqsm.io.bids import open_study
from napari_msqsm.widgets.coordinator import Coordinator
from napari_msqsm.widgets.import_work import ImportRequest, ImportStep

pytestmark = pytest.mark.gui


@pytest.fixture(scope="module")
def dicom(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scans") / "clinic"
    write_study(folder, [Visit("20190302")], roles=("GRE", "FLAIR"))
    (folder / "readme.txt").write_text("no image")
    return folder


@pytest.fixture
def coordinator(qtbot):
    made = Coordinator(ViewerModel())
    yield made
    made.shut_down()


@pytest.fixture
def work(coordinator):
    return coordinator.importing


@pytest.fixture
def request_of(dicom, tmp_path):
    (tmp_path / "here").mkdir()
    return ImportRequest(dicom, tmp_path / "here" / "study")


def private(request):
    return [path for path in request.bids_dir.parent.iterdir() if path.name.startswith(".")]


def wait_for(qtbot, work, step):
    qtbot.waitUntil(lambda: work.step is step, timeout=30_000)


def test_a_folder_becomes_a_study_that_is_opened(qtbot, coordinator, work, request_of):
    work.read(request_of)
    assert work.step is ImportStep.READING
    wait_for(qtbot, work, ImportStep.CHECK)
    assert work.error == ""
    assert sorted({row.role for row in work.plan.rows}) == ["FLAIR", "MEGRE"]
    assert len(private(request_of)) == 1
    assert not request_of.bids_dir.exists()

    work.write()
    wait_for(qtbot, work, ImportStep.DONE)
    qtbot.waitUntil(lambda: coordinator.workspace.study is not None, timeout=20_000)
    assert coordinator.workspace.study.root == request_of.bids_dir
    assert work.outcome.sessions == ("sub-01_ses-01",)
    assert private(request_of) == []
    assert work.proposal is None
    assert not work.is_private
    assert (request_of.bids_dir.parent / "study_key.tsv").is_file()
    qtbot.waitUntil(lambda: not coordinator.is_reading, timeout=20_000)


def test_what_the_user_says_is_settled(qtbot, work, request_of):
    work.read(request_of)
    wait_for(qtbot, work, ImportStep.CHECK)
    gre = tuple(row.series.series_uid for row in work.plan.rows if row.role == "MEGRE")
    with qtbot.waitSignal(work.changed):
        work.change(gre, "role", "ignore")
    assert [row.role for row in work.plan.rows if row.is_kept] == ["FLAIR"]
    assert any("has no multi-echo gradient echo" in problem for problem in work.plan.problems)
    work.change(gre, "role", "MEGRE")
    assert not work.plan.problems
    assert all(row.confidence == 1.0 for row in work.plan.rows if row.role == "MEGRE")


def test_discarding_removes_the_private_folder(qtbot, work, request_of):
    work.read(request_of)
    wait_for(qtbot, work, ImportStep.CHECK)
    assert work.is_private
    work.discard()
    assert work.step is ImportStep.CHOOSE
    assert private(request_of) == []
    work.write()
    assert work.step is ImportStep.CHOOSE


def test_closing_the_window_removes_the_private_folder(qtbot, coordinator, work, request_of):
    work.read(request_of)
    wait_for(qtbot, work, ImportStep.CHECK)
    coordinator.shut_down()
    assert private(request_of) == []


def test_closing_the_window_before_the_end_of_reading_is_told(work, coordinator, request_of):
    work.read(request_of)
    assert work.task.wait(30)
    assert len(private(request_of)) == 1
    coordinator.shut_down()
    assert private(request_of) == []


def test_cancelled_reading_leaves_nothing(qtbot, work, request_of):
    work.read(request_of)
    work.cancel()
    wait_for(qtbot, work, ImportStep.CHOOSE)
    assert work.error == ""
    assert private(request_of) == []


def test_reading_that_is_discarded_when_it_has_just_ended_leaves_nothing(qtbot, work, request_of):
    work.read(request_of)
    task = work.task
    assert task.wait(30)
    work.discard()
    assert work.step is ImportStep.CHOOSE
    qtbot.waitUntil(lambda: private(request_of) == [], timeout=10_000)
    assert work.step is ImportStep.CHOOSE


def test_what_cannot_be_read_is_told(qtbot, work, request_of, tmp_path):
    (tmp_path / "here" / "notes").mkdir()
    (tmp_path / "here" / "notes" / "a.txt").write_text("x")
    work.read(ImportRequest(request_of.dicom_dir, tmp_path / "here" / "notes"))
    wait_for(qtbot, work, ImportStep.CHOOSE)
    assert "not a BIDS dataset" in work.error
    assert private(request_of) == []


def test_writing_that_fails_or_is_cancelled_goes_back_to_the_table(qtbot, work, request_of, monkeypatch):
    work.read(request_of)
    wait_for(qtbot, work, ImportStep.CHECK)
    work.write()
    work.cancel()
    wait_for(qtbot, work, ImportStep.CHECK)
    assert work.error == ""
    assert not request_of.bids_dir.exists()

    request_of.bids_dir.write_text("in the way")
    work.write()
    wait_for(qtbot, work, ImportStep.CHECK)
    assert "study" in work.error
    assert work.plan is not None
    request_of.bids_dir.unlink()
    work.write()
    wait_for(qtbot, work, ImportStep.DONE)
    assert [session.label for session in open_study(request_of.bids_dir).sessions] == ["sub-01_ses-01"]
