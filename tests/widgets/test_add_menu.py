"""What a laboratory has already is taken over from the Study panel's menu, without a viewer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_msqsm.io.bids import open_study
from napari_msqsm.io.transforms import write_transform
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.widgets.add_menu import AddMenu
from napari_msqsm.widgets.coordinator import Coordinator
from napari_msqsm.widgets.mask_dialog import MaskChoice, MaskDialog
from napari_msqsm.widgets.transform_dialog import TransformChoice, TransformDialog
from napari_msqsm.workflow.bring_in.tables.plan import plan_table
from napari_msqsm.workflow.tasks import TaskState

pytestmark = pytest.mark.gui


@pytest.fixture
def coordinator(qtbot, study_copy):
    made = Coordinator(ViewerModel())
    made.open_study(study_copy)
    qtbot.waitUntil(lambda: not made.is_reading, timeout=20_000)
    yield made
    made.shut_down()
    for box in boxes():
        box.close()


@pytest.fixture
def menu(qtbot, coordinator):
    made = AddMenu(coordinator)
    qtbot.addWidget(made)
    return made


def boxes():
    return [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, QMessageBox)]


def told(qtbot, coordinator):
    """What is said once the work is over."""
    qtbot.waitUntil(lambda: not coordinator.is_watching and not coordinator.is_reading, timeout=30_000)
    assert [task.state for task in coordinator.tasks] == [TaskState.DONE], [task.error for task in coordinator.tasks]
    return " ".join(box.text() for box in boxes())


def test_a_brain_mask_is_taken_and_what_was_assumed_is_told(qtbot, coordinator, menu, study_copy):
    truth = study_copy / "derivatives/truth/sub-01/ses-01/anat/sub-01_ses-01_desc-brain_mask.nii.gz"
    menu.add_mask(coordinator.workspace.selected, MaskChoice(truth, "brain"))
    assert "Brain mask of sub-01_ses-01, on the grid of its GRE" in told(qtbot, coordinator)
    assert (study_copy / "derivatives/msqsm/sub-01/ses-01/anat").is_dir()


def test_what_cannot_be_taken_is_told_in_words_of_the_window(qtbot, coordinator, menu, study_copy):
    truth = study_copy / "derivatives/truth/sub-01/ses-01/anat/sub-01_ses-01_desc-brain_mask.nii.gz"
    menu.add_mask(coordinator.workspace.selected, MaskChoice(truth, "brain", threshold=0.5))
    qtbot.waitUntil(lambda: not coordinator.is_watching, timeout=30_000)
    (task,) = coordinator.tasks
    assert task.state is TaskState.FAILED
    assert "threshold was given" in task.error
    assert "--" not in task.error
    assert boxes() == []


def test_a_transform_is_taken_and_judged(qtbot, coordinator, menu, study_copy, tmp_path):
    path = tmp_path / "flair.txt"
    write_transform(path, AffineTransform(np.eye(4)))
    session = coordinator.workspace.study.session("sub-01_ses-01")
    menu.add_transform(session, TransformChoice(path, "FLAIR", "baseline", False, "AB", ""))
    said = told(qtbot, coordinator)
    assert "Transform of sub-01_ses-01 FLAIR, accepted by AB" in said
    assert "our own check says" in said


def test_a_table_is_written_and_counted(qtbot, coordinator, menu, study_copy, tmp_path):
    path = tmp_path / "lab.csv"
    path.write_text("patient,session,treatment\n01,01,none\n01,02,ocrelizumab\n")
    study = open_study(study_copy)
    menu.add_table(study, plan_table(study, path), overwrite=False)
    said = told(qtbot, coordinator)
    assert "values written" in said
    assert coordinator.workspace.study.session("sub-01_ses-02").covariates["treatment"] == "ocrelizumab"


def test_the_menu_offers_what_is_possible(qtbot, coordinator, menu):
    menu.renew()
    assert all(entry.isEnabled() for entry in menu.entries.values())
    coordinator.workspace.close()
    menu.renew()
    assert not any(entry.isEnabled() for entry in menu.entries.values())


def test_the_mask_dialog_asks_for_what_is_missing(qtbot):
    dialog = MaskDialog("sub-01_ses-01")
    qtbot.addWidget(dialog)
    assert dialog.missing() == "Choose the file."
    dialog.fields["path"].setText("/somewhere/lesions.nii.gz")
    assert dialog.missing() == "Say what it holds."
    dialog.kind.setCurrentText("lesions")
    dialog.fields["labels"].setText("2, x")
    assert dialog.missing() == "Labels are whole numbers, such as 3, 4."
    dialog.fields["labels"].setText("2, 3")
    dialog.fields["threshold"].setText("half")
    assert dialog.missing() == "The threshold is a number, such as 0.5."
    dialog.fields["threshold"].clear()
    dialog.split.setChecked(True)
    assert dialog.chosen() == MaskChoice(Path("/somewhere/lesions.nii.gz"), "lesions", (2, 3), split=True)


def test_the_transform_dialog_asks_who_vouches_and_remembers(qtbot):
    dialog = TransformDialog("sub-01_ses-02", ["MEGRE", "FLAIR"])
    qtbot.addWidget(dialog)
    assert dialog.missing() == "Choose the file."
    dialog.fields["path"].setText("/somewhere/a.mat")
    dialog.fields["who"].clear()
    assert dialog.missing() == "Say who vouches for it."
    dialog.fields["who"].setText("AB")
    dialog.image.setCurrentText("FLAIR")
    dialog.to.setCurrentIndex(1)
    assert dialog.missing() == ""
    assert dialog.chosen() == TransformChoice(Path("/somewhere/a.mat"), "FLAIR", "session", False, "AB", "")
    again = TransformDialog("sub-01_ses-02", ["MEGRE"])
    qtbot.addWidget(again)
    assert again.fields["who"].text() == "AB"
