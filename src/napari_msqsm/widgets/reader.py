"""Readers: NIfTI files and BIDS folders dropped onto napari."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LayerData = tuple[Any, ...]
_ENDINGS = (".nii", ".nii.gz")


def get_reader(path: str | Sequence[str]) -> Callable[[str | Sequence[str]], list[LayerData]] | None:
    """Reader for NIfTI files or a BIDS folder; None, at once, for anything else."""
    paths = _paths(path)
    if len(paths) == 1 and paths[0].is_dir():
        from napari_msqsm.io.bids import is_bids

        return read_study if is_bids(paths[0]) else None
    return read_files if paths and all(p.name.endswith(_ENDINGS) for p in paths) else None


def read_files(path: str | Sequence[str]) -> list[LayerData]:
    """Layers of NIfTI files, in radiological order and true proportions; maps of χ in ppb."""
    from napari_msqsm.widgets.images import kind_of, read_image
    from napari_msqsm.widgets.layers import layer_data

    _adjust_window()
    return layer_data(read_image(p, kind_of(p)) for p in _paths(path))


def read_study(path: str | Sequence[str]) -> list[LayerData]:
    """Open a BIDS folder in the Study panel; where there is no window, return the first session's images."""
    root = _paths(path)[0]
    if open_panel(root):
        return [(None,)]  # napari's word for: read, and nothing to add
    return first_session(root)


def first_session(root: Path) -> list[LayerData]:
    """Layers of the first session with a gradient echo."""
    from napari_msqsm.io.bids import open_study
    from napari_msqsm.widgets.images import images_of
    from napari_msqsm.widgets.layers import layer_data

    _adjust_window()
    sessions = [session for session in open_study(root).sessions if session.gre]
    return layer_data(images_of(sessions[0])) if sessions else [(None,)]


def open_panel(root: Path) -> bool:
    """Ask the window, if there is one, to show the Study panel with this folder."""
    import napari

    viewer = napari.current_viewer()
    if viewer is None or getattr(viewer, "window", None) is None:
        return False
    from napari_msqsm.widgets.coordinator import open_study_panel

    open_study_panel(viewer, root)
    return True


def _adjust_window() -> None:
    """Once napari has added the layers: mark the sides and free the contrast sliders."""
    import napari

    viewer = napari.current_viewer()
    if viewer is None or getattr(viewer, "window", None) is None:
        return
    from qtpy.QtCore import QTimer

    from napari_msqsm.widgets.laterality import mark_sides
    from napari_msqsm.widgets.layers import widen_ours

    def adjust() -> None:
        mark_sides(viewer)
        widen_ours(viewer)

    QTimer.singleShot(0, adjust)


def _paths(path: str | Sequence[str]) -> list[Path]:
    return [Path(path)] if isinstance(path, str) else [Path(p) for p in path]
