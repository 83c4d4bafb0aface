"""Opening a scan that is not in BIDS."""

from __future__ import annotations

from pathlib import Path

import pytest
from qtpy.QtWidgets import QDialog, QFileDialog, QPushButton

from napari_msqsm.widgets.files_dialog import FilesDialog

pytestmark = pytest.mark.gui


@pytest.fixture
def dialog(qtbot):
    made = FilesDialog()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def filled(dialog, monkeypatch, tmp_path):
    """A dialog in which two magnitude and two phase files were chosen with the buttons."""
    names = {
        "mag": [str(tmp_path / f"mag{n}.nii") for n in (1, 2)],
        "phase": [str(tmp_path / f"ph{n}.nii") for n in (1, 2)],
    }
    pickers = [button for button in dialog.findChildren(QPushButton) if button.text() == "Choose…"]
    for picker, part in zip(pickers, ("mag", "phase"), strict=True):
        monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_, part=part: (names[part], ""))
        picker.click()
    return dialog


def press_ok(dialog):
    dialog._accept_if_right()


def test_chosen_files_and_what_the_sidecars_do_not_say(filled, tmp_path):
    filled.echo_times.setText("0.004, 0.008")
    filled.b0.setText("3")
    filled.phase_range.setText("-4096 4096")
    files, out_dir = filled.chosen()
    assert [path.name for path in files.magnitude] == ["mag1.nii", "mag2.nii"]
    assert [path.name for path in files.phase] == ["ph1.nii", "ph2.nii"]
    assert files.echo_times_s == (0.004, 0.008)
    assert files.b0_tesla == 3.0
    assert files.phase_range == (-4096.0, 4096.0)
    assert out_dir == tmp_path / "msqsm"


def test_what_is_left_open_comes_from_the_sidecars(filled):
    files, _ = filled.chosen()
    assert files.echo_times_s is None
    assert files.b0_tesla is None
    assert files.phase_range is None


def test_complete_input_is_accepted(filled):
    press_ok(filled)
    assert filled.result() == QDialog.DialogCode.Accepted


def test_without_files_it_stays_open_and_says_why(dialog):
    press_ok(dialog)
    assert dialog.result() != QDialog.DialogCode.Accepted
    assert dialog.problem.text() == "Choose the magnitude and the phase files."


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("b0", "three", "field strength"),
        ("echo_times", "0.004; six", "echo times"),
        ("phase_range", "4096", "phase range is two numbers"),
    ],
)
def test_a_wrong_value_is_named(filled, field, text, said):
    getattr(filled, field).setText(text)
    press_ok(filled)
    assert filled.result() != QDialog.DialogCode.Accepted
    assert said in filled.problem.text()
    assert filled.problem.wordWrap()


def test_results_need_a_folder(filled):
    filled.out_dir.setText(" ")
    press_ok(filled)
    assert filled.problem.text() == "Say where the results go."


def test_the_folder_of_results_may_begin_at_home(filled):
    filled.out_dir.setText("~/scan")
    assert filled.chosen()[1] == Path.home() / "scan"
