"""The Growth curves panel in a window."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt

from napari_msqsm.cli import main
from napari_msqsm.phantom.cohort import CohortDesign, simulated_cohort
from napari_msqsm.widgets.growth.columns_dialog import ColumnsDialog, guessed
from napari_msqsm.widgets.growth.power_dialog import PowerDialog
from napari_msqsm.workflow.growth.record import as_record

pytestmark = pytest.mark.gui


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.tsv"
    simulated_cohort(CohortDesign(), np.random.default_rng(3)).to_csv(path, sep="\t", index=False)
    return path


@pytest.fixture
def panel(window):
    _, docked = window.window.add_plugin_dock_widget("napari-msqsm", "Growth curves")
    return docked


def wait(qtbot, panel):
    coordinator = panel.coordinator
    qtbot.waitUntil(
        lambda: not (coordinator.is_reading or coordinator.is_watching or panel._wait.isActive()), timeout=60_000
    )


def test_empty_panel_says_what_to_do(panel):
    assert "No lesion table is open" in panel.title.text()
    assert not panel.export_button.isEnabled()
    assert not panel.study_button.isEnabled()


def test_table_is_fitted_shown_and_exported_with_the_numbers_of_the_command(qtbot, window, panel, table, tmp_path):
    panel.open_table(table)
    wait(qtbot, panel)
    assert panel.result is not None
    assert panel.choices.chosen() == ("volume_bl_mm3", "edss")
    assert len(panel.curves.figure.axes) == 2
    panel.export(tmp_path / "shown")
    wait(qtbot, panel)
    assert main(["fit", str(table), "--out", str(tmp_path / "command"), "--quiet"]) == 0
    shown, command = (json.loads((tmp_path / name / "model.json").read_text()) for name in ("shown", "command"))
    assert shown["fixed_effects"] == command["fixed_effects"]
    assert shown["group_means"] == command["group_means"]
    assert (tmp_path / "shown" / "report.html").is_file()
    window.screenshot(str(tmp_path / "growth.png"), canvas_only=False, flash=False)
    assert (tmp_path / "growth.png").stat().st_size > 10_000


def test_another_choice_is_fitted_by_itself(qtbot, panel, table):
    panel.open_table(table)
    wait(qtbot, panel)
    panel.choices.time.setCurrentIndex(panel.choices.time.findData("octile-bins"))
    panel.choices.random.setCurrentIndex(panel.choices.random.findData("patient"))
    item = panel.choices.covariates.item(0)
    item.setCheckState(Qt.CheckState.Unchecked)
    wait(qtbot, panel)
    model = as_record(panel.result)["model"]
    assert (model["time"], model["random"]) == ("octile-bins", "patient")
    assert item.text() not in model["covariates"]
    assert "saturated" in panel.words.text()


def test_tabs(qtbot, panel, table):
    panel.open_table(table)
    wait(qtbot, panel)
    panel.tabs.setCurrentWidget(panel.residuals)
    wait(qtbot, panel)
    assert len(panel.residuals.figure.axes) == 4
    panel.tabs.setCurrentWidget(panel.numbers)
    assert "Fixed effects" in panel.numbers.toPlainText()


def test_what_cannot_be_fitted_is_a_sentence(qtbot, panel, table):
    rows = pd.read_csv(table, sep="\t")
    rows.assign(chi_ppb=1.0).to_csv(table, sep="\t", index=False)
    panel.open_table(table)
    wait(qtbot, panel)
    assert "the same in every row" in panel.words.text()
    assert panel.result is None
    assert not panel.export_button.isEnabled()


def test_points_have_names(qtbot, panel, table):
    panel.open_table(table)
    wait(qtbot, panel)
    panel.curves.canvas.draw()
    rows = panel.result.model.table.rows
    axes = panel.curves.figure.axes[0]
    x, y = axes.transData.transform((rows["lesion_age_y"].iloc[4], panel.result.model.fit.response[4]))
    event = SimpleNamespace(inaxes=axes, x=x, y=y)
    assert panel.curves.nearest(event) == 4
    assert panel.curves.nearest(SimpleNamespace(inaxes=axes, x=x - 4000, y=y)) is None
    panel.curves._hover(event)
    assert panel.curves._note.get_text() == f"{rows['lesion_id'].iloc[4]} ({rows['rim'].iloc[4]})"
    with qtbot.waitSignal(panel.curves.picked) as picked:
        panel.curves._click(event)
    assert picked.args == [4]
    assert rows["lesion_id"].iloc[4] in panel.words.text()


def test_bootstrap_is_a_task_whose_intervals_are_shown(qtbot, panel, table, monkeypatch):
    monkeypatch.setattr("napari_msqsm.widgets.growth.growth_panel._SAMPLES", 5)
    panel.open_table(table)
    wait(qtbot, panel)
    panel.bootstrap_button.click()
    wait(qtbot, panel)
    assert "bootstrap, 5 samples" in panel.numbers.toPlainText()


def test_foreign_table_is_asked_about(qtbot, panel, table, monkeypatch):
    rows = pd.read_csv(table, sep="\t").rename(
        columns={"patient_id": "subject", "lesion_age_y": "age", "rim": "PRL status", "chi_ppb": "QSM"}
    )
    rows.to_csv(table, sep="\t", index=False)
    monkeypatch.setattr(ColumnsDialog, "exec", lambda _: 1)
    panel.open_table(table)
    wait(qtbot, panel)
    assert panel.result is not None
    assert panel.result.model.n_patients == 19


def test_names_of_columns_are_guessed():
    columns = ["lesion number", "subject", "years since onset", "group", "susceptibility"]
    assert guessed("patient_id", columns) == "subject"
    assert guessed("lesion_id", columns) == "lesion number"
    assert guessed("lesion_age_y", columns) == "years since onset"
    assert guessed("rim", columns) == "group"
    assert guessed("chi_ppb", columns) == "susceptibility"
    assert guessed("rim", ["rim", "PRL"]) == "rim"


def test_power_of_a_design(qtbot, panel, monkeypatch):
    monkeypatch.setattr("napari_msqsm.widgets.growth.power_dialog._SAMPLES", 6)
    dialog = PowerDialog(panel.coordinator, panel)
    dialog.effect.setValue(2.0)
    dialog.patients.setValue(25)
    dialog.simulate()
    assert not dialog.button.isEnabled()
    wait(qtbot, panel)
    assert "Power 100 %" in dialog.result_words.text()
    assert dialog.button.isEnabled()
