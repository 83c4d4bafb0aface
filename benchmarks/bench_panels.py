"""How long a panel takes to open once napari has."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("name", ["Study", "Reconstruct"])
def bench_open_panel(benchmark, make_napari_viewer, name):
    window = make_napari_viewer().window
    benchmark.pedantic(window.add_plugin_dock_widget, args=("napari-msqsm", name), rounds=1)
