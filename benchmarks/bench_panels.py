"""How long a panel takes to open once napari has, and how long a step by hand takes to be seen."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.widgets.inspect_view import InspectView
from napari_msqsm.widgets.nudge_keys import MODES, NUDGE_STEPS
from napari_msqsm.workflow.inspect_pair.pictures import PairPictures


@pytest.mark.parametrize("name", ["Study", "Import", "Reconstruct", "Coregister"])
def bench_open_panel(benchmark, make_napari_viewer, name):
    window = make_napari_viewer().window
    benchmark.pedantic(window.add_plugin_dock_widget, args=("napari-msqsm", name), rounds=1)


@pytest.mark.parametrize("mode", MODES)
def bench_nudge(benchmark, make_napari_viewer, mode):
    viewer = make_napari_viewer()
    values = np.random.default_rng(0).random((320, 320, 128), dtype=np.float32)
    grid = Grid(values.shape, np.diag([0.7, 0.7, 1.2, 1.0]))
    view = InspectView(viewer, PairPictures(values, grid, values, grid, AffineTransform.identity()), "fixed", "moving")
    view.show(mode)

    def step():
        view.nudge(NUDGE_STEPS["Shift-Up"])
        QApplication.processEvents()

    benchmark.pedantic(step, rounds=10, warmup_rounds=1)
    view.close()
