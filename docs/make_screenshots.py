"""Draw the pictures of the README through the real window: the sample patient, opened, reconstructed, looked at.

Run it where there is a screen, or under ``xvfb-run``: ``python docs/make_screenshots.py``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

IMAGES = Path(__file__).parent / "images"
_SIZE = (1400, 900)
_MOST_BYTES = 400_000


def main() -> None:
    """Write ``study_panel.png`` and ``reconstruct_panel.png``."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "napari.yaml")
        os.environ["XDG_CONFIG_HOME"] = folder  # what the panels remember
        _draw(Path(folder) / "sample-study")


def _draw(root: Path) -> None:
    import napari
    from qtpy.QtTest import QTest

    from napari_msqsm.phantom.sample import sample_study_path

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
    panel.run_selected()
    settle()
    viewer.dims.set_current_step(0, viewer.dims.nsteps[0] // 2)
    QTest.qWait(300)
    _save(viewer, "reconstruct_panel.png")
    coordinator.shut_down()
    viewer.close()


def _horizontal() -> object:
    from qtpy.QtCore import Qt

    return Qt.Orientation.Horizontal


def _save(viewer: object, name: str) -> None:
    from PIL import Image

    path = IMAGES / name
    viewer.screenshot(str(path), canvas_only=False, flash=False)  # type: ignore[attr-defined]
    Image.open(path).convert("RGB").quantize(colors=128).save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.name}: {size} bytes")  # noqa: T201  this is a script
    if size > _MOST_BYTES:
        raise SystemExit(f"{path} is larger than {_MOST_BYTES} bytes")


if __name__ == "__main__":
    main()
