"""The Import panel in a window: from a folder that is dropped to a study that is open."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QMessageBox, QPushButton

from dicom_scanner.people import Patient, Visit
from dicom_scanner.study import write_study
from napari_msqsm.widgets.import_choose import ImportChoose
from napari_msqsm.widgets.import_outcome_words import outcome_html
from napari_msqsm.widgets.import_work import ImportStep
from napari_msqsm.workflow.dicom_import.importing import ImportOutcome

pytestmark = pytest.mark.gui


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """Two patients on two scanners."""
    folder = tmp_path_factory.mktemp("scans") / "clinic"
    visits = {Patient(): [Visit("20190302")], Patient("MS0900", "Doe^Jane"): [Visit("20200115", vendor="ge")]}
    write_study(folder, visits, roles=("GRE", "FLAIR"))
    (folder / "readme.txt").write_text("no image")
    return folder


@pytest.fixture
def study_panel(window):
    return window.window.add_plugin_dock_widget("napari-msqsm", "Study")[1]


def drop(widget, path):
    """Drag a folder over a widget and let it go; whether it was taken."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    where, keys = QPointF(5, 5), (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    over = QDragEnterEvent(where.toPoint(), Qt.DropAction.CopyAction, data, *keys)
    over.ignore()
    QApplication.sendEvent(widget, over)
    if over.isAccepted():
        QApplication.sendEvent(widget, QDropEvent(where, Qt.DropAction.CopyAction, data, *keys))
    return over.isAccepted()


def open_import(window):
    return window.window.add_plugin_dock_widget("napari-msqsm", "Import")


def read(qtbot, window, clinic, tmp_path):
    _, panel = open_import(window)
    panel.choose.propose(clinic)
    panel.choose.bids_dir.setText(str(tmp_path / "here" / "study"))
    (tmp_path / "here").mkdir()
    panel.choose.read()
    qtbot.waitUntil(lambda: panel.work.step is ImportStep.CHECK, timeout=60_000)
    return panel


def private(tmp_path):
    return [path for path in (tmp_path / "here").iterdir() if path.name.startswith(".")]


def test_a_dropped_folder_of_two_scanners_becomes_an_open_study(qtbot, window, study_panel, clinic, tmp_path):
    coordinator = study_panel.coordinator
    assert not drop(study_panel, clinic / "readme.txt")
    assert drop(study_panel, clinic)
    qtbot.waitUntil(lambda: not coordinator.is_reading, timeout=20_000)
    dock, panel = open_import(window)
    dock.hide()
    study_panel.open_import()
    assert not dock.isHidden()
    assert panel.choose.dicom_dir.text() == str(clinic)
    assert panel.choose.bids_dir.text() == f"{clinic}-bids"
    assert panel.choose.key_file.placeholderText() == f"{clinic}-bids_key.tsv"
    study = tmp_path / "study"
    panel.choose.bids_dir.setText(str(study))
    panel.choose.read()
    assert panel.pages.currentWidget() is panel.progress
    qtbot.waitUntil(lambda: panel.work.step is ImportStep.CHECK, timeout=60_000)

    check = panel.check
    assert "2 patients, 2 sessions" in check.head.text()
    assert check.tabs.tabText(1) == "Left out (1)"
    assert check.left_out.item(0, 1).text() == "not DICOM"
    qtbot.waitUntil(lambda: check.slice.has_slice, timeout=20_000)
    place = next(n for n, column in enumerate(check.model.columns) if column.field == "patient_id")
    check.model.setData(check.model.index(0, place), "MS07")
    assert check.model.index(0, place).data() == "MS07"
    check.model.setData(check.model.index(0, place), "01")
    assert drop(panel, clinic)
    assert "before the next one" in check.problem.text()
    panel.show_series(check.table.selected[0])
    qtbot.waitUntil(lambda: len(window.layers) == 1, timeout=20_000)
    assert window.canvas.overlays.text.text == "R ◂ patient ▸ L"

    check.write_button.click()
    qtbot.waitUntil(lambda: panel.work.step is ImportStep.DONE, timeout=60_000)
    qtbot.waitUntil(lambda: study_panel.title.text() == "study" and not coordinator.is_reading, timeout=20_000)
    assert panel.pages.currentWidget() is panel.done
    assert "sub-01_ses-01, sub-02_ses-01" in panel.done.words.toPlainText()
    assert str(tmp_path / "study_key.tsv") in panel.done.words.toPlainText()
    assert all(layer.metadata["msqsm"]["path"].startswith(str(study)) for layer in window.layers)
    written = "".join(path.read_text() for path in study.rglob("*") if path.suffix in {".json", ".tsv"})
    assert not any(secret in written for secret in ("Musterfrau", "MS0815", "MS0900", "Doe", "2019-03", "20190302"))


def test_a_closed_panel_asks_and_a_new_one_goes_on(qtbot, window, study_panel, clinic, tmp_path):
    panel = read(qtbot, window, clinic, tmp_path)
    work = panel.work
    for answer, n_private in (("Keep for now", 1), ("Remove", 0)):
        with qtbot.waitSignal(panel.destroyed, timeout=5000):
            window.window.remove_dock_widget(panel)
        qtbot.waitUntil(lambda: bool(questions(window)), timeout=5000)
        assert "patients' names" in questions(window)[0].text()
        buttons = questions(window)[0].buttons()
        next(button for button in buttons if button.text() == answer).click()
        qtbot.waitUntil(lambda: not questions(window), timeout=5000)
        assert len(private(tmp_path)) == n_private
        _, panel = open_import(window)
        assert panel.work is work
        qtbot.wait(20)  # docked
        assert panel.pages.currentWidget() is (panel.check if n_private else panel.choose)


def questions(window):
    return window.window._qt_window.findChildren(QMessageBox)


def test_a_folder_of_neither_kind_is_told_in_words(qtbot, study_panel, tmp_path):
    (tmp_path / "notes").mkdir()
    assert drop(study_panel, tmp_path / "notes")
    qtbot.waitUntil(lambda: not study_panel.coordinator.is_reading, timeout=20_000)
    assert "not a BIDS dataset" in study_panel.error.text()
    assert any(button.text() == "Import DICOM…" for button in study_panel.findChildren(QPushButton))


@pytest.fixture
def choose(qtbot):
    made = ImportChoose()
    qtbot.addWidget(made)
    return made


def test_what_is_missing_is_asked_for(choose, tmp_path):
    assert choose.request() is None
    assert "Choose the DICOM folder" in choose.problem.text()
    choose.dicom_dir.setText(str(tmp_path / "nowhere"))
    assert choose.request() is None
    assert "nowhere" in choose.problem.text()
    choose.dicom_dir.setText(str(tmp_path))
    assert choose.request() is None
    assert "study folder" in choose.problem.text()
    choose.bids_dir.setText(str(tmp_path / "study"))
    assert choose.request().key_file is None
    choose.key_file.setText(str(tmp_path / "safe" / "key.tsv"))
    assert choose.request().key_file == tmp_path / "safe" / "key.tsv"


def test_a_key_inside_the_study_is_refused(choose, tmp_path):
    choose.dicom_dir.setText(str(tmp_path))
    choose.bids_dir.setText(str(tmp_path / "study"))
    choose.key_file.setText(str(tmp_path / "study" / "code" / "key.tsv"))
    assert choose.request() is None
    assert "inside the study" in choose.problem.text()


def test_an_outcome_is_told_as_plain_text(tmp_path):
    outcome = ImportOutcome(
        tmp_path / "a<b>",
        tmp_path / "key.tsv",
        ("sub-01_ses-01",),
        (tmp_path / "a",),
        ("<i>odd</i>",),
        {"PatientName": "not kept", "StudyDate": "not kept", "descrip": "free text"},
    )
    words = outcome_html(outcome)
    assert "1 session, 1 image" in words
    assert "&lt;i&gt;odd" in words
    assert "<b>" in words.split("a&lt;b&gt;")[1]
    assert "<li>not kept: PatientName, StudyDate</li>" in words
    assert "<li>free text: descrip</li>" in words
