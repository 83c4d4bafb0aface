"""The table dialog: columns are proposed and corrected, what would change is told before it is written."""

from __future__ import annotations

from datetime import datetime

import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QDialogButtonBox

from napari_msqsm.io.bids import open_study
from napari_msqsm.widgets.coordinator import Coordinator
from napari_msqsm.widgets.flag_words import in_words_of_the_window
from napari_msqsm.widgets.table_dialog import TableDialog
from napari_msqsm.widgets.table_words import UNUSED, cell_words, given_of, uses_of
from napari_msqsm.workflow.bring_in.tables.plan import write_plan

pytestmark = pytest.mark.gui

TABLE = "Patient;Visit;EDSS;Lab code\n01;01;2.5;a\n01;02;3.0;b\n99;01;1.0;c\n"


@pytest.fixture
def coordinator(qtbot):
    made = Coordinator(ViewerModel())
    yield made
    made.shut_down()


@pytest.fixture
def dialog(qtbot, coordinator, study_copy):
    made = TableDialog(coordinator, open_study(study_copy))
    qtbot.addWidget(made)
    return made


def take(qtbot, dialog, tmp_path, text):
    path = tmp_path / "lab.csv"
    path.write_text(text)
    dialog.fields["path"].setText(str(path))
    qtbot.waitUntil(lambda: dialog.plan is not None or bool(dialog.problem.text()), timeout=10_000)


def choose(qtbot, dialog, column, use):
    box = dialog.uses[column]
    box.setCurrentIndex(box.findData(use))
    box.activated.emit(box.currentIndex())
    qtbot.waitUntil(lambda: dialog.plan is not None or bool(dialog.problem.text()), timeout=10_000)


def write_button(dialog):
    return dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)


def test_columns_are_proposed_and_changes_listed(qtbot, dialog, tmp_path):
    assert dialog.missing() == "Choose the table."
    take(qtbot, dialog, tmp_path, TABLE)
    assert {column: box.currentData() for column, box in dialog.uses.items()} == {
        "Patient": "patient",
        "Visit": "session",
        "EDSS": "edss",
        "Lab code": UNUSED,
    }
    assert dialog.preview.item(1, 2).text() == "2.5"
    assert dialog.preview.verticalHeaderItem(1).text() == "2"
    assert [change.column for change in dialog.plan.changes] == ["edss", "edss"]
    said = dialog.words.toPlainText()
    assert "sub-01 ses-02 edss" in said
    assert "99" in said
    dialog.overwrite.setChecked(True)
    assert write_button(dialog).isEnabled()
    assert dialog.missing() == ""


def test_a_correction_is_compared_anew(qtbot, dialog, tmp_path):
    take(qtbot, dialog, tmp_path, TABLE)
    choose(qtbot, dialog, "Lab code", "lab_code")
    assert {change.column for change in dialog.plan.changes} == {"edss", "lab_code"}
    choose(qtbot, dialog, "EDSS", UNUSED)
    assert {change.column for change in dialog.plan.changes} == {"lab_code"}
    choose(qtbot, dialog, "EDSS", "patient")
    assert dialog.plan is None
    assert "cannot both be the patient" in dialog.problem.text()
    assert not write_button(dialog).isEnabled()


def test_what_the_table_lacks_is_told_here(qtbot, dialog, tmp_path):
    take(qtbot, dialog, tmp_path, "Colour;EDSS\nred;2\n")
    assert "no column tells the patient" in dialog.problem.text()
    assert "--columns" not in dialog.problem.text()
    assert dialog.missing() == dialog.problem.text()
    take(qtbot, dialog, tmp_path / "..", "only a title\n")
    assert "no row of values" in dialog.problem.text()


def test_conflicts_are_listed_before_anything_is_written(qtbot, dialog, tmp_path, study_copy):
    take(qtbot, dialog, tmp_path, TABLE)
    write_plan(open_study(study_copy), dialog.plan, overwrite=True)
    sessions = study_copy / "sub-01" / "sub-01_sessions.tsv"
    before = sessions.read_text()
    dialog._study = open_study(study_copy)
    take(qtbot, dialog, tmp_path / "..", TABLE.replace("3.0", "4.5"))
    assert [str(change) for change in dialog.plan.conflicts] == ["sub-01 ses-02 edss: 3 → 4.5"]
    assert "Conflicts" in dialog.words.toPlainText()
    assert dialog.overwrite.isVisibleTo(dialog)
    assert dialog.missing() == "There is nothing to write."
    assert not write_button(dialog).isEnabled()
    dialog.overwrite.setChecked(True)
    assert dialog.missing() == ""
    assert write_button(dialog).isEnabled()
    assert sessions.read_text() == before


def test_no_use_is_given_to_what_is_not_chosen():
    given = given_of({"ID": "patient", "x": UNUSED, "Score": "score"})
    assert given["patient"] == "ID"
    assert given["score"] == "Score"
    assert given["edss"] == given["date"] == "-"


def test_a_header_is_offered_under_its_own_name_where_that_can_be_one():
    assert ("as it is: lab_code", "lab_code") in uses_of("Lab code")
    assert not any(words.startswith("as it is") for words, _ in uses_of("3 T"))
    assert sum(value == "edss" for _, value in uses_of("edss")) == 1


def test_cells_are_shown_as_they_were_written():
    assert cell_words(None) == ""
    assert cell_words(2.0) == "2"
    assert cell_words(datetime.fromisoformat("2019-03-02")) == "2019-03-02"
    assert cell_words(datetime.fromisoformat("2019-03-02 09:30")) == "2019-03-02 09:30"


def test_errors_name_what_stands_in_the_window():
    said = in_words_of_the_window("give the right --key-file, or --keep-dates where its dates are true")
    assert said == "give the right private key, or “keep the true dates” where its dates are true"
