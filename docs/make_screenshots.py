"""Draw the pictures of the README through the real window: the sample patient, from opening to its lesions.

The Import panel is drawn with synthetic DICOM of two patients and two scanners; the true lesions of the sample patient
stand in for a reader's drawings; the growth curves are those of a simulated cohort.

Run it where there is a screen, or under ``xvfb-run``: ``python docs/make_screenshots.py``.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

IMAGES = Path(__file__).parent / "images"
_SIZE = (1400, 900)
_MOST_BYTES = 400_000


def main() -> None:
    """Write the picture of every panel."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "napari.yaml")
        os.environ["XDG_CONFIG_HOME"] = folder  # what the panels remember
        _draw(Path(folder) / "sample-study")
        _draw_import(Path(folder))


def _draw(root: Path) -> None:
    import napari
    import numpy as np
    from qtpy.QtTest import QTest

    from napari_msqsm.phantom.cohort import CohortDesign, simulated_cohort
    from napari_msqsm.phantom.sample import sample_study_path
    from napari_msqsm.widgets.initials import remember_initials
    from napari_msqsm.widgets.workbench.stage import Stage
    from napari_msqsm.workflow.stand_in import draw_truth

    shutil.copytree(sample_study_path(), root)
    viewer = napari.Viewer(show=True)
    viewer.window._qt_window.resize(*_SIZE)
    dock, study = viewer.window.add_plugin_dock_widget("napari-msqsm", "Study")
    viewer.window._qt_window.resizeDocks([dock], [480], _horizontal())
    coordinator = study.coordinator

    def settle() -> None:
        QTest.qWait(200)
        while coordinator.tasks.is_busy or coordinator.is_reading:
            QTest.qWait(50)
        QTest.qWait(400)

    coordinator.open_study(root)
    settle()
    study.show_selected()
    settle()
    viewer.dims.set_current_step(0, viewer.dims.nsteps[0] // 2)
    _save(viewer, "study_panel.png")

    dock, panel = viewer.window.add_plugin_dock_widget("napari-msqsm", "Reconstruct", tabify=True)
    viewer.window._qt_window.resizeDocks([dock], [480], _horizontal())
    panel.preset.setCurrentIndex(panel.preset.findData("recommended"))
    panel.run_all()
    settle()
    viewer.dims.set_current_step(0, viewer.dims.nsteps[0] // 2)
    QTest.qWait(300)
    _save(viewer, "reconstruct_panel.png")

    dock, panel = viewer.window.add_plugin_dock_widget("napari-msqsm", "Coregister", tabify=True)
    viewer.window._qt_window.resizeDocks([dock], [480], _horizontal())
    panel.run_all()
    settle()
    flair = next(pair for pair, _ in panel.table.rows if pair.session.endswith("02") and pair.contrast == "FLAIR")
    panel.table.select(flair)
    panel.inspect_selected()
    settle()
    panel.inspection.box.modes["checkerboard"].click()
    QTest.qWait(300)
    _save(viewer, "coregister_panel.png")
    panel.inspection.close()

    draw_truth(coordinator.workspace.study, "01")
    remember_initials("AB")
    coordinator.refresh()
    settle()
    dock, panel = viewer.window.add_plugin_dock_widget("napari-msqsm", "Lesions", tabify=True)
    viewer.window._qt_window.resizeDocks([dock], [480], _horizontal())
    panel.bar.open_selected()
    settle()
    panel.work.select(panel.work.drawing.lesions[0].label)
    panel.work.show(Stage.QSM, "sub-01_ses-02", jump=True)
    panel.tabs.setCurrentWidget(panel.sessions)
    QTest.qWait(1500)
    settle()
    QTest.qWait(500)
    _save(viewer, "lesions_panel.png")
    panel.work.close()

    table = root.parent / "cohort.tsv"
    simulated_cohort(CohortDesign(), np.random.default_rng(7)).to_csv(table, sep="\t", index=False)
    dock, panel = viewer.window.add_plugin_dock_widget("napari-msqsm", "Growth curves", tabify=True)
    viewer.window._qt_window.resizeDocks([dock], [860], _horizontal())
    panel.open_table(table)
    settle()
    QTest.qWait(500)
    _save(viewer, "growth_panel.png")
    coordinator.shut_down()
    viewer.close()


def _draw_import(folder: Path) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    import napari
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    from dicom_scanner.people import Patient, Visit
    from dicom_scanner.study import write_study
    from napari_msqsm.widgets.import_work import ImportStep

    visits = {
        Patient(): [Visit("20140305"), Visit("20160611", "133000"), Visit("20200115", "101500", "ge")],
        Patient("MS0900", "Doe^Jane", "19790101"): [Visit("20150305", vendor="ge"), Visit("20171224", "080000")],
    }
    write_study(folder / "clinic", visits)
    (folder / "clinic" / "readme.txt").write_text("CD of the clinic")
    viewer = napari.Viewer(show=True)
    viewer.window._qt_window.resize(*_SIZE)
    dock, study = viewer.window.add_plugin_dock_widget("napari-msqsm", "Study")
    viewer.window._qt_window.resizeDocks([dock], [480], _horizontal())
    panel = study.open_import()
    QTest.qWait(200)
    panel.choose.propose(folder / "clinic")
    panel.choose.read()
    while panel.work.step is not ImportStep.CHECK:
        QTest.qWait(50)
    viewer.window._qt_window.resizeDocks([panel.parent()], [430], Qt.Orientation.Vertical)
    panel.show_series(panel.check.table.selected[0])
    QTest.qWait(800)
    _save(viewer, "import_panel.png")
    panel.coordinator.shut_down()
    viewer.close()


def _horizontal() -> object:
    from qtpy.QtCore import Qt

    return Qt.Orientation.Horizontal


def _save(viewer: object, name: str) -> None:
    from PIL import Image

    path = IMAGES / name
    viewer.screenshot(str(path), canvas_only=False, flash=False)  # type: ignore[attr-defined]
    Image.open(path).convert("RGB").save(path, optimize=True)  # no palette: it would lose the colours of small words
    size = path.stat().st_size
    print(f"{path.name}: {size} bytes")  # noqa: T201  this is a script
    if size > _MOST_BYTES:
        raise SystemExit(f"{path} is larger than {_MOST_BYTES} bytes")


if __name__ == "__main__":
    main()
