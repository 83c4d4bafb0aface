"""The table of an import, without a viewer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from qtpy.QtCore import QModelIndex, Qt
from qtpy.QtWidgets import QComboBox

from napari_msqsm.io.dicom.series import ConvertedImage, ConvertedSeries
from napari_msqsm.widgets.import_model import ImportModel
from napari_msqsm.widgets.import_table import ChoiceDelegate, ImportTable
from napari_msqsm.workflow.dicom_import.plan import ImportPlan, PlannedSeries

pytestmark = pytest.mark.gui


def row(number, role, acquisition, confidence=0.95, part="mag", **changes):
    image = ConvertedImage(Path(f"{number}.nii.gz"), part, 0.005, (64, 64, 20))
    series = ConvertedSeries(f"1.{number}", "1", "A", number, f"series {number}", None, 20, (image,))
    made = PlannedSeries(series, role, confidence, "from its name", "01", "01", acquisition)
    return replace(made, **changes)


PLAN = ImportPlan(
    (
        row(2, "FLAIR", 1),
        row(3, "MEGRE", 2, post_gd=False),
        row(4, "MEGRE", 2, part="phase", post_gd=False),
        row(5, "T2w", 3, 0.3, problems=("2 slices are missing",)),
        row(1, "ignore", 0),
        row(6, "ignore", 0),
    )
)


@pytest.fixture
def model():
    made = ImportModel(lambda _: "2019-03-02")
    made.set_plan(PLAN)
    return made


@pytest.fixture
def table(qtbot, model):
    made = ImportTable(model)
    qtbot.addWidget(made)
    return made


def place_of(model, title):
    return next(place for place, column in enumerate(model.columns) if column.title == title)


def column(model, title):
    place = place_of(model, title)
    return [model.index(row, place).data() for row in range(model.rowCount())]


def test_a_row_tells_what_becomes_of_its_series(model):
    cells = {c.title: model.index(1, place).data() for place, c in enumerate(model.columns)}
    assert cells == {
        "Patient": "01",
        "Session": "01",
        "Date": "2019-03-02",
        "Series": "3 series 3",
        "Becomes": "gradient echoes (MEGRE)",
        "Confidence": "sure",
        "Echoes": "1 (5.0 ms)",
        "Holds": "magnitude",
        "Size": "64 × 64 × 20",
        "Files": "20",
        "Run": "1",
        "After Gd": "no",
        "Problems": "",
    }
    assert model.index(1, place_of(model, "Becomes")).data(Qt.ItemDataRole.ToolTipRole) == "from its name"


def test_colours_tell_what_deserves_a_look(model):
    place = place_of(model, "Confidence")
    colours = [model.index(row, place).data(Qt.ItemDataRole.ForegroundRole).color() for row in range(model.rowCount())]
    green, red = colours[0], colours[3]
    assert green.green() > green.red()
    assert red.red() > red.green()


def test_sorting_keeps_an_acquisition_together_and_brackets_it(model):
    for place in range(model.columnCount()):
        for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
            model.sort(place, order)
            series = column(model, "Series")
            first = series.index("3 series 3")
            assert series[first + 1] == "4 series 4"
            heads = [model.headerData(n, Qt.Orientation.Vertical).strip() for n in range(model.rowCount())]
            assert heads[first : first + 2] == ["┌", "└"]
            assert not any(heads[:first] + heads[first + 2 :])


def test_only_what_needs_a_look_or_holds_a_text(model):
    model.show_only(looks=True, text="")
    assert column(model, "Series") == ["5 series 5"]
    model.show_only(looks=False, text="FLAIR")
    assert column(model, "Series") == ["2 series 2"]
    model.show_only(looks=True, text="flair")
    assert model.rowCount() == 0


def test_after_an_edit_rows_stay_where_they_are(qtbot, model):
    model.sort(place_of(model, "Confidence"), Qt.SortOrder.AscendingOrder)
    before = column(model, "Series")
    edited = tuple(replace(r, confidence=1.0) if r.series.number == 5 else r for r in PLAN.rows)
    with qtbot.waitSignal(model.dataChanged):
        model.set_plan(replace(PLAN, rows=edited))
    assert column(model, "Series") == before
    assert column(model, "Confidence")[0] == "sure"


def test_a_hidden_row_that_comes_to_need_a_look_is_shown(model):
    model.show_only(looks=True, text="")
    now = tuple(replace(r, problems=("two of one kind",)) if r.series.number == 2 else r for r in PLAN.rows)
    model.set_plan(replace(PLAN, rows=now))
    assert column(model, "Series") == ["2 series 2", "5 series 5"]


def test_an_edit_is_asked_for_the_whole_acquisition(qtbot, model):
    with qtbot.waitSignal(model.edit_requested) as asked:
        assert model.setData(model.index(2, place_of(model, "Becomes")), "ignore")
    assert asked.args == [("1.3", "1.4"), "role", "ignore"]
    with qtbot.waitSignal(model.edit_requested) as asked:
        assert model.setData(model.index(0, place_of(model, "Patient")), "sub-MS07")
    assert asked.args == [("1.2",), "patient_id", "MS07"]


def test_a_name_that_bids_does_not_allow_is_refused(qtbot, model):
    with qtbot.assertNotEmitted(model.edit_requested), qtbot.waitSignal(model.refused) as said:
        assert not model.setData(model.index(0, place_of(model, "Session")), "week 4")
    assert said.args == ["ses-week 4 is not a BIDS name; use letters and digits only."]


def test_the_same_value_is_no_edit_and_other_cells_have_none(qtbot, model):
    with qtbot.assertNotEmitted(model.edit_requested):
        assert not model.setData(model.index(0, place_of(model, "Becomes")), "FLAIR")
        assert not model.setData(model.index(0, place_of(model, "Files")), "7")
    editable = {
        c.title
        for place, c in enumerate(model.columns)
        if model.flags(model.index(0, place)) & Qt.ItemFlag.ItemIsEditable
    }
    assert editable == {"Patient", "Session", "Becomes", "After Gd"}


def test_a_list_offers_the_roles(qtbot, table, model):
    index = model.index(0, place_of(model, "Becomes"))
    delegate = table.itemDelegateForIndex(index)
    assert isinstance(delegate, ChoiceDelegate)
    box = delegate.createEditor(table.viewport(), None, index)
    assert isinstance(box, QComboBox)
    delegate.setEditorData(box, index)
    assert box.currentText() == "FLAIR"
    box.setCurrentIndex(box.findText("T2"))
    with qtbot.waitSignal(model.edit_requested) as asked:
        delegate.setModelData(box, model, index)
    assert asked.args == [("1.2",), "role", "T2w"]
    box.deleteLater()


def test_several_rows_are_changed_at_once(qtbot, table, model):
    table.selectAll()
    with qtbot.waitSignal(model.edit_requested) as asked:
        table.change_selected("post_gd", True)
    assert sorted(asked.args[0]) == ["1.1", "1.2", "1.3", "1.4", "1.5", "1.6"]
    assert asked.args[1:] == ["post_gd", True]


def test_the_menu_asks_for_what_it_says(qtbot, table, model):
    table.selectRow(0)
    becomes = next(action.menu() for action in table.menu().actions() if action.text() == "Becomes")
    with qtbot.waitSignal(model.edit_requested) as asked:
        next(action for action in becomes.actions() if action.text() == "leave out").trigger()
    assert asked.args == [("1.2",), "role", "ignore"]


def test_a_double_click_opens_a_series_where_it_is_not_edited(qtbot, table, model):
    opened = []
    table.row_opened.connect(opened.append)
    table.doubleClicked.emit(model.index(0, place_of(model, "Becomes")))
    table.doubleClicked.emit(model.index(0, place_of(model, "Size")))
    assert [row.series.number for row in opened] == [2]


def test_the_selection_survives_sorting(table, model):
    table.selectRow(column(model, "Series").index("5 series 5"))
    model.sort(place_of(model, "Series"), Qt.SortOrder.DescendingOrder)
    assert [row.series.number for row in table.selected] == [5]


def test_an_empty_plan_is_an_empty_table(model):
    model.set_plan(ImportPlan(()))
    assert model.rowCount() == 0
    assert model.data(QModelIndex()) is None
